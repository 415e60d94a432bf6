import { uniqueIdOf } from './google-claims.ts'

/** What Identity-Aware Proxy puts into an assertion. */
export interface IapClaims {
  readonly audience: string
  readonly email: string | undefined
  readonly subject: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Seconds. */
  readonly expiresIn: number
}

/** How long IAP's assertions last, in seconds. */
export const IAP_LIFETIME = 600

/**
 * The claims of IAP's assertion for a Google account
 * (https://cloud.google.com/iap/docs/signed-headers-howto).
 *
 * An expired assertion was issued ten minutes before it expired.
 */
export function iapClaims(assertion: IapClaims): Record<string, unknown> {
  const { audience, email, now, expiresIn } = assertion
  const exp = now + expiresIn
  return {
    aud: audience,
    azp: audience,
    ...(email !== undefined && { email }),
    exp,
    iat: expiresIn > 0 ? now : exp - IAP_LIFETIME,
    identity_source: 'GOOGLE',
    iss: 'https://cloud.google.com/iap',
    sub: `accounts.google.com:${assertion.subject ?? uniqueIdOf(email ?? '')}`,
  }
}
