import { IdTokenError, nameRealm } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { VerifiedAt } from '../telemetry/metrics.ts'
import type { ObserveOutcome } from '../telemetry/observe-outcomes.ts'
import type { Eventual, Outcome } from './outcome.ts'

/** Makes a verification and reports its outcome, once. */
export type Reported = <Accepted extends Caller | null>(
  verify: () => Eventual<Outcome<Accepted>>,
  at?: VerifiedAt,
) => Eventual<Outcome<Accepted>>

/**
 * Every verification goes through the function that this returns.
 *
 * @param realm - of the challenges of refusals
 */
export function createReported(observe: ObserveOutcome, realm: string): Reported {
  const report = <Accepted extends Caller | null>(
    outcome: Outcome<Accepted>,
    at: VerifiedAt,
  ): typeof outcome => {
    if (outcome instanceof IdTokenError) {
      nameRealm(outcome, realm)
      observe(outcome, null, at)
    } else {
      observe(null, outcome, at)
    }
    return outcome
  }
  const reportBug = (bug: unknown, at: VerifiedAt): never => {
    observe(bug, null, at)
    throw bug
  }
  return (verify, at = WITHOUT_ROUTE) => {
    let outcome
    try {
      outcome = verify()
    } catch (bug) {
      return reportBug(bug, at)
    }
    return outcome instanceof Promise
      ? outcome.then(
          (known) => report(known, at),
          (bug: unknown) => reportBug(bug, at),
        )
      : report(outcome, at)
  }
}

/** The methods of the verifier throw what they refuse. */
const WITHOUT_ROUTE: VerifiedAt = { route: undefined, enforced: true }
