import { durationInWords } from '../pacing/duration-in-words.ts'
import type { Audiences } from '../policy/audiences.ts'
import type { IdTokenErrorCode } from '../errors/outcomes.ts'
import type { IdTokenClaims } from '../token/claims.ts'

/** The rules for claims. */
export interface ClaimRules {
  readonly issuers: readonly string[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Seconds. */
  readonly maxTokenLifetime: number
}

/**
 * A rule that the claims break. `expected` and `found` may be functions, which are called only when
 * the text is needed.
 */
export interface BrokenRule {
  readonly code: IdTokenErrorCode
  readonly expected: unknown
  readonly found: unknown
}

/**
 * Validates claims in the order of the outcome table: iss, aud, exp, nbf and iat, lifetime (RFC 7519
 * section 4.1).
 *
 * @param now - seconds since the epoch
 * @returns the configured audience that matched, or the first rule that the claims break
 */
export function validateClaims(
  claims: IdTokenClaims,
  rules: ClaimRules,
  audiences: Audiences,
  now: number,
): string | BrokenRule {
  const { iss, aud } = claims
  if (!rules.issuers.includes(iss)) {
    return { code: 'ID_TOKEN_ISSUER_MISMATCH', expected: rules.issuers, found: iss }
  }
  const audience = audiences.spellings.get(aud)
  if (audience === undefined) {
    return { code: 'ID_TOKEN_AUDIENCE_MISMATCH', expected: audiences.configured, found: aud }
  }
  return validateTimes(claims, rules, now) ?? audience
}

/**
 * Validates the claims whose validity changes with time: exp, nbf and iat, lifetime. Each comparison
 * is written so that it refuses if the clock gives no number.
 *
 * @param now - seconds since the epoch
 * @returns the first rule that the claims break
 */
export function validateTimes(
  { iat, exp, nbf }: IdTokenClaims,
  { clockTolerance, maxTokenLifetime }: ClaimRules,
  now: number,
): BrokenRule | null {
  if (!(exp > now - clockTolerance)) {
    return {
      code: 'ID_TOKEN_EXPIRED',
      expected: () => `exp at most ${durationInWords(clockTolerance)} ago`,
      found: () => `exp ${exp}, ${sinceOrUntil(exp, now)}`,
    }
  }
  const latest = now + clockTolerance
  if (nbf !== undefined && !(nbf <= latest)) return notYet('nbf', nbf, clockTolerance, now)
  if (!(iat <= latest)) return notYet('iat', iat, clockTolerance, now)
  if (!(exp - iat <= maxTokenLifetime)) {
    return {
      code: 'ID_TOKEN_LIFETIME_TOO_LONG',
      expected: () =>
        `exp - iat at most ${maxTokenLifetime} (${durationInWords(maxTokenLifetime)})`,
      found: () => `${exp - iat} (${durationInWords(exp - iat)})`,
    }
  }
  return null
}

function notYet(claim: string, time: number, tolerance: number, now: number): BrokenRule {
  return {
    code: 'ID_TOKEN_NOT_YET_VALID',
    expected: () => `${claim} at most ${durationInWords(tolerance)} from now`,
    found: () => `${claim} ${time}, ${sinceOrUntil(time, now)}`,
  }
}

/** In words. If the clock gives no number: `0 seconds from now`. */
function sinceOrUntil(time: number, now: number): string {
  const distance = durationInWords(Math.abs(time - now))
  return time <= now ? `${distance} ago` : `${distance} from now`
}
