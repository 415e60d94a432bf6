import { createHash } from 'node:crypto'

/** The claims of a service account's ID token. */
export interface GoogleClaims {
  readonly issuer: string
  readonly audience: string
  readonly email: string | undefined
  readonly subject: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Seconds. */
  readonly expiresIn: number
}

const LIFETIME = 3600

/**
 * The claims of a metadata server's token: `format=full` with an email, `format=standard` without.
 *
 * An expired token was issued an hour before it expired.
 */
export function googleClaims(token: GoogleClaims): Record<string, unknown> {
  const { issuer, audience, email, now, expiresIn } = token
  const subject = token.subject ?? uniqueIdOf(email ?? '')
  const exp = now + expiresIn
  return {
    aud: audience,
    azp: subject,
    ...(email !== undefined && { email, email_verified: true }),
    exp,
    iat: expiresIn > 0 ? now : exp - LIFETIME,
    iss: issuer,
    sub: subject,
  }
}

/** An account's unique id, 21 digits like Google's; always the same for the same email. */
export function uniqueIdOf(email: string): string {
  const digest = BigInt(`0x${createHash('sha256').update(email).digest('hex')}`)
  return `1${String(digest % 10n ** 20n).padStart(20, '0')}`
}
