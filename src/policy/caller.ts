import type { TokenSource } from '../errors/recognised-mistakes.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import type { IdTokenClaims } from '../token/claims.ts'

/** Who calls, as Google signed it. Deeply frozen. */
export interface Caller {
  /**
   * The email of the account; only where `email_verified` is true. Behind IAP, which has verified it:
   * of a Google account only.
   */
  readonly email: string | undefined
  /**
   * The account's unique id: 21 digits, and a new one where an account is re-created. Behind IAP, of
   * an identity that is not Google's: the name of its provider, a colon, and its id there.
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
  /** `false` only for a token whose signature the platform took away and was trusted with. */
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

/** Whose token it is, as far as lists may know. */
export type Account = Pick<Caller, 'email' | 'subject'>

/** What was found out about a token beside its claims. */
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

/** Iterative, because a payload may nest deeper than the stack. */
function deepFrozen(claims: IdTokenClaims): IdTokenClaims {
  if (Object.isFrozen(claims)) return claims
  const pending: object[] = [claims]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    for (const inner of Object.values(Object.freeze(value)) as unknown[]) {
      if (typeof inner === 'object' && inner !== null) pending.push(inner)
    }
  }
  return claims
}
