import type { Audiences } from '../options/audiences.ts'
import { IdTokenError } from '../verdict/id-token-error.ts'
import type { IdTokenClaims } from './claims.ts'

/** What claims are held against. */
export interface ClaimRules {
  readonly issuers: readonly string[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Seconds. */
  readonly maxTokenLifetime: number
}

/**
 * Judges the claims of a token in the order of the outcome table: iss, aud, exp, nbf and iat,
 * lifetime (RFC 7519 section 4.1).
 *
 * Each time is compared so that a clock that gives no number refuses.
 *
 * @param now - seconds since the epoch
 * @returns the configured audience that matched
 * @throws IdTokenError the first rule that the claims break
 */
export function checkClaims(
  claims: IdTokenClaims,
  rules: ClaimRules,
  audiences: Audiences,
  now: number,
): string {
  if (!rules.issuers.includes(claims.iss)) {
    throw new IdTokenError('ID_TOKEN_ISSUER_MISMATCH', {
      expected: rules.issuers,
      found: claims.iss,
    })
  }
  const audience = audiences.spellings.get(claims.aud)
  if (audience === undefined) {
    throw new IdTokenError('ID_TOKEN_AUDIENCE_MISMATCH', {
      expected: audiences.configured,
      found: claims.aud,
    })
  }
  checkTimes(claims, rules, now)
  return audience
}

function checkTimes({ iat, exp, nbf }: IdTokenClaims, rules: ClaimRules, now: number): void {
  const { clockTolerance, maxTokenLifetime } = rules
  if (!(now < exp + clockTolerance)) {
    throw new IdTokenError('ID_TOKEN_EXPIRED', { expected: `exp after ${now}`, found: exp })
  }
  if (nbf !== undefined && !(nbf <= now + clockTolerance)) {
    throw new IdTokenError('ID_TOKEN_NOT_YET_VALID', { expected: `nbf by ${now}`, found: nbf })
  }
  if (!(iat <= now + clockTolerance)) {
    throw new IdTokenError('ID_TOKEN_NOT_YET_VALID', { expected: `iat by ${now}`, found: iat })
  }
  if (!(exp - iat <= maxTokenLifetime)) {
    throw new IdTokenError('ID_TOKEN_LIFETIME_TOO_LONG', {
      expected: `exp - iat at most ${maxTokenLifetime}`,
      found: exp - iat,
    })
  }
}
