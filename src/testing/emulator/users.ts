/** People who are logged in to gcloud, by their refresh tokens. */
import { randomBytes } from 'node:crypto'

/** gcloud's own OAuth client: its ID tokens have this as audience. */
export const GCLOUD_CLIENT = '32555940559.apps.googleusercontent.com'

/** Somebody's login. */
export interface Login {
  readonly email: string
  readonly clientId: string
  readonly clientSecret: string
  /**
   * Whether `target_audience` becomes the `aud`. There is no report that Google does this for
   * people.
   */
  readonly honoursTargetAudience: boolean
}

/** The logins, by refresh token. */
export class Logins {
  readonly #logins = new Map<string, Login>()

  /** @returns the refresh token */
  add(login: Login): string {
    const refreshToken = `1//emulator-${randomBytes(24).toString('base64url')}`
    this.#logins.set(refreshToken, login)
    return refreshToken
  }

  /** Whose refresh token it is. */
  find(refreshToken: string): Login | undefined {
    return this.#logins.get(refreshToken)
  }
}
