import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { Eventual, Outcome } from '../verifier/outcome.ts'

/** What an adapter does with an outcome, and how its framework continues. */
export interface Receiver {
  accept: (caller: Caller | null) => void
  /** Puts the headers of a refusal on the response. */
  refuse: (refusal: IdTokenError) => void
  next: (error?: unknown) => void
}

/** Logs the outcome of a request. */
export type Report<Request> = (outcome: Outcome<Caller | null>, request: Request) => void

/** What is done where requests are only reported. */
export interface Reporting<Request> {
  readonly report: Report<Request>
  /** Notes that the verification or a report failed. Must not throw. */
  readonly failed: (problem: unknown, request: Request) => void
}

/** Hands an outcome to an adapter: synchronously, if it is not a promise. */
export function receiveOutcome<Request extends Receiver>(
  outcome: Eventual<Outcome<Caller | null>>,
  request: Request,
  report: Report<Request>,
): void {
  if (outcome instanceof Promise) {
    outcome.then(
      (late) => {
        receive(late, request, report)
      },
      (bug: unknown) => {
        request.next(bug)
      },
    )
  } else {
    receive(outcome, request, report)
  }
}

/**
 * A logger that throws must not end the process: nobody else catches the error of a late outcome.
 */
function receive<Request extends Receiver>(
  outcome: Outcome<Caller | null>,
  request: Request,
  report: Report<Request>,
): void {
  const isRefused = outcome instanceof IdTokenError
  try {
    report(outcome, request)
    if (isRefused) request.refuse(outcome)
    else request.accept(outcome)
  } catch (problem) {
    request.next(problem)
    return
  }
  if (isRefused) request.next(outcome)
  else request.next()
}

/**
 * Lets a request in, whatever becomes of its verification. While keys are current, the outcome is
 * known at once, and an accepted caller is set. Where keys must be fetched first, the request does
 * not wait: its caller is `null`, and the outcome is reported when it is known.
 */
export function reportOutcome<Request extends Pick<Receiver, 'accept' | 'next'>>(
  verify: () => Eventual<Outcome<Caller | null>>,
  request: Request,
  { report, failed }: Reporting<Request>,
): void {
  try {
    const outcome = verify()
    if (outcome instanceof Promise) {
      request.accept(null)
      outcome
        .then((late) => {
          report(late, request)
        })
        .catch((problem: unknown) => {
          failed(problem, request)
        })
    } else {
      request.accept(outcome instanceof IdTokenError ? null : outcome)
      report(outcome, request)
    }
  } catch (problem) {
    failed(problem, request)
  }
  request.next()
}
