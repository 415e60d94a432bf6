/** Assertions that service accounts sign with their keys (RFC 7523 section 3). */
import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeJwt, type JWTPayload } from 'jose'
import { OAuthError } from './google-errors.ts'

/** What an assertion requests: a target audience, scopes, or both. */
export interface VerifiedAssertion {
  readonly email: string
  readonly targetAudience: string | undefined
  readonly scopes: readonly string[]
}

/** The rules for assertions. */
export interface AssertionRules {
  /** The account of an email or a unique id, if it has a key. */
  readonly accountWithKey: (
    emailOrUniqueId: string,
  ) => { readonly email: string; readonly publicKey: KeyObject } | undefined
  readonly audiences: readonly string[]
  /** Seconds since the epoch. */
  readonly now: number
}

/**
 * Google's limits, in seconds: an assertion is valid for an hour at most, and clocks may differ.
 */
const LONGEST_LIFETIME = 3600
const TOLERANCE = 300

/** @throws OAuthError with the text of Google's token endpoint */
export async function verifyAssertion(
  assertion: string,
  rules: AssertionRules,
): Promise<VerifiedAssertion> {
  const { iss } = unverifiedClaims(assertion)
  const account = typeof iss === 'string' ? rules.accountWithKey(iss) : undefined
  if (account === undefined) throw invalidGrant('Invalid grant: account not found')
  await verifySignature(assertion, account.publicKey)
  return { email: account.email, ...asked(unverifiedClaims(assertion), rules) }
}

function unverifiedClaims(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion)
  } catch {
    throw invalidGrant('Bad Request')
  }
}

/** Each account has only one key, so the header need not name it. */
async function verifySignature(assertion: string, publicKey: KeyObject): Promise<void> {
  try {
    await compactVerify(assertion, publicKey, { algorithms: ['RS256'] })
  } catch {
    throw invalidGrant('Invalid JWT Signature.')
  }
}

function asked(
  claims: JWTPayload,
  { audiences, now }: AssertionRules,
): Omit<VerifiedAssertion, 'email'> {
  const { aud, iat, exp, scope, target_audience: targetAudience } = claims
  if (typeof aud !== 'string' || !audiences.includes(aud)) {
    throw invalidGrant(`Invalid JWT: Failed audience check. The right audience is ${audiences[0]}`)
  }
  if (!isTimely(iat, exp, now)) {
    throw invalidGrant(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    )
  }
  const scopes = typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : []
  const audience = typeof targetAudience === 'string' ? targetAudience : ''
  if (scopes.length === 0 && audience === '') {
    throw new OAuthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  }
  return { targetAudience: audience || undefined, scopes }
}

function isTimely(iat: unknown, exp: unknown, now: number): boolean {
  if (typeof iat !== 'number' || typeof exp !== 'number') return false
  return (
    iat <= now + TOLERANCE && exp > now - TOLERANCE && exp - iat <= LONGEST_LIFETIME + TOLERANCE
  )
}

function invalidGrant(description: string): OAuthError {
  return new OAuthError('invalid_grant', description)
}
