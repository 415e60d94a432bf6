import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { Eventual, Outcome } from '../verifier/outcome.ts'

/** What an adapter does with an outcome, and how its framework continues. */
export interface Receiver {
  readonly accept: (caller: Caller | null) => void
  /** Puts the headers of a refusal on the response. */
  readonly refuse: (refusal: IdTokenError) => void
  /** Logs the outcome. */
  readonly report: (outcome: Outcome<Caller | null>) => void
  readonly next: (error?: unknown) => void
}

/** The same where requests are only reported. */
export interface ReportReceiver extends Pick<Receiver, 'accept' | 'report' | 'next'> {
  /** Notes that the verification or a report failed. Must not throw. */
  readonly failed: (problem: unknown) => void
}

/** Hands an outcome to an adapter: synchronously, if it is not a promise. */
export function receiveOutcome(
  outcome: Eventual<Outcome<Caller | null>>,
  receiver: Receiver,
): void {
  if (outcome instanceof Promise) {
    outcome.then(
      (late) => {
        receive(late, receiver)
      },
      (bug: unknown) => {
        receiver.next(bug)
      },
    )
  } else {
    receive(outcome, receiver)
  }
}

/**
 * A logger that throws must not end the process: nobody else catches the error of a late outcome.
 */
function receive(outcome: Outcome<Caller | null>, receiver: Receiver): void {
  const isRefused = outcome instanceof IdTokenError
  try {
    receiver.report(outcome)
    if (isRefused) receiver.refuse(outcome)
    else receiver.accept(outcome)
  } catch (problem) {
    receiver.next(problem)
    return
  }
  if (isRefused) receiver.next(outcome)
  else receiver.next()
}

/**
 * Lets a request in, whatever becomes of its verification. While keys are current, the outcome is
 * known at once, and an accepted caller is set. Where keys must be fetched first, the request does
 * not wait: its caller is `null`, and the outcome is reported when it is known.
 */
export function reportOutcome(
  verify: () => Eventual<Outcome<Caller | null>>,
  receiver: ReportReceiver,
): void {
  try {
    const outcome = verify()
    if (outcome instanceof Promise) {
      receiver.accept(null)
      outcome.then(receiver.report).catch(receiver.failed)
    } else {
      receiver.accept(outcome instanceof IdTokenError ? null : outcome)
      receiver.report(outcome)
    }
  } catch (problem) {
    receiver.failed(problem)
  }
  receiver.next()
}
