import { IdTokenError, nameRealm } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { ObserveOutcome } from '../telemetry/observe-outcomes.ts'
import type { Eventual, Outcome } from './outcome.ts'

/** Makes a verification and reports its outcome, once. */
export type Reported = <Accepted extends Caller | null>(
  verify: () => Eventual<Outcome<Accepted>>,
) => Eventual<Outcome<Accepted>>

/**
 * Every verification goes through the function that this returns.
 *
 * @param realm - of the challenges of refusals
 */
export function createReported(observe: ObserveOutcome, realm: string): Reported {
  const report = <Accepted extends Caller | null>(outcome: Outcome<Accepted>): typeof outcome => {
    if (outcome instanceof IdTokenError) {
      nameRealm(outcome, realm)
      observe(outcome, null)
    } else {
      observe(null, outcome)
    }
    return outcome
  }
  const reportBug = (bug: unknown): never => {
    observe(bug, null)
    throw bug
  }
  return (verify) => {
    let outcome
    try {
      outcome = verify()
    } catch (bug) {
      return reportBug(bug)
    }
    return outcome instanceof Promise ? outcome.then(report, reportBug) : report(outcome)
  }
}
