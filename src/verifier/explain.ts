import type { Caller } from '../policy/caller.ts'
import type { Outcome } from './outcome.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import { CHECKS, OUTCOMES, type Check, type IdTokenErrorCode } from '../errors/outcomes.ts'

/** The result of one check. */
export interface ExplainedCheck {
  /** Which check. */
  readonly check: Check
  /**
   * `not reached`: an earlier check has failed, or this one is not made (no list of callers; no
   * token on an optional route).
   */
  readonly result: 'pass' | 'fail' | 'not reached'
  /** The outcome of the check that failed. */
  readonly code?: IdTokenErrorCode
  /** What the check that failed would have accepted. */
  readonly expected?: unknown
  /** What was there instead; never the token or a segment of it. */
  readonly found?: unknown
  /** What to do about the check that failed. */
  readonly remedy?: string
}

/** Why a token is accepted or refused. */
export interface Explanation {
  /** Whether the token is accepted. */
  readonly accepted: boolean
  /** The outcome; `null` if the token is accepted. */
  readonly code: IdTokenErrorCode | null
  /** Every check in the order in which it is made. */
  readonly checks: readonly ExplainedCheck[]
  /** Who calls, if the token is accepted. */
  readonly caller: Caller | null
}

/**
 * Turns an outcome into the result of each check: the checks before the failed one have passed, and
 * those after it were not reached. It checks nothing itself. Of a token whose signature Cloud Run
 * has removed, `key` counts as passed: no key is looked up.
 *
 * @param last - the last check that is made
 */
export function explain(outcome: Outcome<Caller | null>, last: Check): Explanation {
  if (outcome instanceof IdTokenError) {
    const checks = explained(CHECKS.indexOf(OUTCOMES[outcome.code].check), outcome)
    return { accepted: false, code: outcome.code, checks, caller: null }
  }
  // A request without a token, on an optional route, is let in with no check made.
  const checks = explained(outcome === null ? 0 : CHECKS.indexOf(last) + 1)
  return { accepted: true, code: null, checks, caller: outcome }
}

function explained(passed: number, error?: IdTokenError): ExplainedCheck[] {
  return CHECKS.map((check, position) => {
    if (position < passed) return { check, result: 'pass' }
    if (position > passed || error === undefined) return { check, result: 'not reached' }
    return { check, result: 'fail', code: error.code, ...error.detail }
  })
}
