import type { Caller } from '../policy/caller.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import { CHECKS, OUTCOMES, type Check, type IdTokenErrorCode } from '../errors/outcomes.ts'

/** How one check came out. */
export interface ExplainedCheck {
  readonly check: Check
  readonly result: 'pass' | 'fail' | 'not reached'
  /** The outcome of the check that failed. */
  readonly code?: IdTokenErrorCode
  readonly expected?: unknown
  readonly found?: unknown
  /** What to do about the check that failed. */
  readonly remedy?: string
}

/** Why a token is accepted or refused. */
export interface Explanation {
  readonly accepted: boolean
  /** The outcome; `null` where the token is accepted. */
  readonly code: IdTokenErrorCode | null
  /** Every check in the order in which it is made. */
  readonly checks: readonly ExplainedCheck[]
  /** Who calls, where the token is accepted. */
  readonly caller: Caller | null
}

/**
 * Tells a decision check by check: what comes before the one that failed has passed, what comes
 * after it was not reached. It judges nothing itself.
 *
 * @param decision - how the token is decided
 * @param last - the last check that this takes
 */
export async function explain(
  decision: () => Promise<Caller | null>,
  last: Check,
): Promise<Explanation> {
  try {
    const caller = await decision()
    return { accepted: true, code: null, checks: explained(CHECKS.indexOf(last) + 1), caller }
  } catch (error) {
    if (!(error instanceof IdTokenError)) throw error
    const checks = explained(CHECKS.indexOf(OUTCOMES[error.code].check), error)
    return { accepted: false, code: error.code, checks, caller: null }
  }
}

function explained(passed: number, error?: IdTokenError): ExplainedCheck[] {
  return CHECKS.map((check, position) => {
    if (position < passed) return { check, result: 'pass' }
    if (position > passed || error === undefined) return { check, result: 'not reached' }
    return { check, result: 'fail', code: error.code, ...error.detail }
  })
}
