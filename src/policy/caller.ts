import type { TokenSource } from '../errors/recognised-mistakes.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import type { IdTokenClaims } from '../token/claims.ts'

/** Who calls, as Google signed it. Deeply frozen. */
export interface Caller {
  /**
   * The email of the account; only if `email_verified` is true. In an assertion of IAP, which
   * verifies emails itself, only the email of a Google account.
   */
  readonly email: string | undefined
  /**
   * The account's unique id: 21 digits. An account that is deleted and created again gets a new
   * one. Behind IAP, for an identity that is not Google's: the name of its provider, a colon, and
   * its id there.
   */
  readonly subject: string
  /** The configured audience that the token matched. */
  readonly audience: string
  /** The `iss` of the token. */
  readonly issuer: string
  /** When the token was issued, in seconds since the epoch. */
  readonly issuedAt: number
  /** When it expires, in seconds since the epoch. */
  readonly expiresAt: number
  /** `false` only if Cloud Run removed the signature and `trustRemovedSignature` is on. */
  readonly signatureVerified: boolean
  /**
   * The header that the verified token was in, in lower case; `authorization` for a token that came
   * without a request.
   */
  readonly header: TokenHeader
  /** `iap` for an assertion of Identity-Aware Proxy (the option `iap`), otherwise `id-token`. */
  readonly source: TokenSource
  /** All claims of the token. */
  readonly claims: Readonly<IdTokenClaims>
}

/** The account that a token names: what lists of callers are compared with. */
export type Account = Pick<Caller, 'email' | 'subject'>

/** What is known about a verified token, besides its claims. */
export type Verified = Account &
  Pick<Caller, 'audience' | 'signatureVerified' | 'header' | 'source'>

/** Makes the caller from validated claims, and freezes both. */
export function callerOf(claims: IdTokenClaims, verified: Verified): Caller {
  return Object.freeze({
    email: verified.email,
    subject: verified.subject,
    audience: verified.audience,
    issuer: claims.iss,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    signatureVerified: verified.signatureVerified,
    header: verified.header,
    source: verified.source,
    claims: deepFrozen(claims),
  })
}

/**
 * Iterative, because a payload may be nested more deeply than the stack allows. And a loop over the
 * names: a list of the values would cost more than all the rest of a caller.
 */
function deepFrozen(claims: IdTokenClaims): IdTokenClaims {
  if (Object.isFrozen(claims)) return claims
  const pending: Readonly<Record<string, unknown>>[] = [claims]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    for (const name in value) {
      const inner = value[name]
      if (typeof inner !== 'object' || inner === null || !Object.hasOwn(value, name)) continue
      pending.push(inner as Record<string, unknown>)
    }
    Object.freeze(value)
  }
  return claims
}
