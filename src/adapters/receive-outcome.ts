import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { Eventual, Outcome } from '../verifier/outcome.ts'

/** What an adapter does with an outcome, and how its framework continues. */
export interface Receiver {
  readonly accept: (caller: Caller | null) => void
  /** Logs the refusal and puts its headers on the response. */
  readonly refuse: (refusal: IdTokenError) => void
  readonly next: (error?: unknown) => void
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
function receive(outcome: Outcome<Caller | null>, { accept, refuse, next }: Receiver): void {
  const isRefused = outcome instanceof IdTokenError
  try {
    if (isRefused) refuse(outcome)
    else accept(outcome)
  } catch (problem) {
    next(problem)
    return
  }
  if (isRefused) next(outcome)
  else next()
}
