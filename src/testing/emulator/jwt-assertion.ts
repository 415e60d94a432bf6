/** Assertions that service accounts sign with their keys (RFC 7523 section 3). */
import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeJwt, errors, type JWTPayload } from 'jose'
import { OAuthError } from './google-errors.ts'

/** What an assertion asks for; it has at least one of the two. */
export interface VerifiedAssertion {
  readonly email: string
  readonly targetAudience: string | undefined
  readonly scopes: readonly string[]
}

/** What assertions are held against. */
export interface AssertionRules {
  /** The account of an email or a unique id, if it has a key. */
  readonly accountWithKey: (
    emailOrUniqueId: string,
  ) => { readonly email: string; readonly publicKey: KeyObject } | undefined
  readonly audiences: readonly string[]
  /** Seconds since the epoch. */
  readonly now: number
}

/** Google's, in seconds: an assertion is good for an hour at most, and clocks differ. */
const LONGEST_LIFETIME = 3600
const TOLERANCE = 300

/** @throws OAuthError as Google's token endpoint words it */
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

/** The key is its account's only one, so the header need name none. */
async function verifySignature(assertion: string, publicKey: KeyObject): Promise<void> {
  try {
    await compactVerify(assertion, publicKey, { algorithms: ['RS256'] })
  } catch (error) {
    if (error instanceof errors.JOSEError) throw invalidGrant('Invalid JWT Signature.')
    throw error
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
