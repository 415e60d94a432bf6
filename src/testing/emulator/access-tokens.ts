/**
 * Access tokens. They are opaque like Google's, so the emulator remembers those that it has issued.
 */
import { randomBytes } from 'node:crypto'

/** The holder and the purpose of an access token. */
export interface AccessGrant {
  /** As IAM spells members: `serviceAccount:…`, `user:…` or `principal://…`. */
  readonly member: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** Google's access tokens last an hour, but their `expires_in` says a second less. */
export const ACCESS_TOKEN_LIFETIME = 3599

export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'

/** The access tokens that are valid now. */
export class AccessTokens {
  readonly #grants = new Map<string, AccessGrant>()
  readonly #now: () => number

  /** @param now - seconds since the epoch */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A new token, and when it expires: seconds since the epoch. */
  issue(
    member: string,
    scopes: readonly string[],
    lifetime = ACCESS_TOKEN_LIFETIME,
  ): { token: string; expiresAt: number } {
    this.#forgetExpired()
    const token = `ya29.emulator-${randomBytes(24).toString('base64url')}`
    const expiresAt = this.#now() + lifetime
    this.#grants.set(token, { member, scopes, expiresAt })
    return { token, expiresAt }
  }

  /** The grant of a token, if the emulator has issued it and it is valid now. */
  find(token: string): AccessGrant | undefined {
    this.#forgetExpired()
    return this.#grants.get(token)
  }

  #forgetExpired(): void {
    const now = this.#now()
    for (const [token, { expiresAt }] of this.#grants) {
      if (expiresAt <= now) this.#grants.delete(token)
    }
  }
}
