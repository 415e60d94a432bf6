/**
 * A workload identity pool, and the identity provider outside Google whose tokens it accepts.
 *
 * @see https://cloud.google.com/iam/docs/workload-identity-federation
 */
import { errors, jwtVerify, SignJWT } from 'jose'

const POOL = 'emulator-pool'
const PROVIDER = 'emulator-provider'
const PROVIDER_ISSUER = 'https://identity-provider.example.com'
const LIFETIME = 3600

/** The pool of an emulator; its only provider signs with a secret that nobody else has. */
export class WorkloadIdentityPool {
  /** The provider's resource name, the `audience` of a token exchange. */
  readonly audience: string
  readonly #name: string
  readonly #secret: Uint8Array
  readonly #now: () => number

  /** @param now - seconds since the epoch */
  constructor(projectNumber: number, secret: Uint8Array, now: () => number) {
    this.#name = `//iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${POOL}`
    this.audience = `${this.#name}/providers/${PROVIDER}`
    this.#secret = secret
    this.#now = now
  }

  /** What the provider gives a workload to exchange. */
  subjectToken(subject: string): Promise<string> {
    const now = this.#now()
    return new SignJWT()
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(PROVIDER_ISSUER)
      .setSubject(subject)
      .setAudience(this.audience)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFETIME)
      .sign(this.#secret)
  }

  /**
   * Who a subject token is about, as IAM spells it.
   *
   * @returns `null` for a token that is none of the provider's, or has expired
   */
  async memberOf(subjectToken: string): Promise<string | null> {
    const currentDate = new Date(this.#now() * 1000)
    const options = { issuer: PROVIDER_ISSUER, audience: this.audience, currentDate }
    try {
      const { payload } = await jwtVerify(subjectToken, this.#secret, options)
      return this.member(String(payload.sub))
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  /** A workload as IAM spells it. */
  member(subject: string): string {
    return `principal:${this.#name}/subject/${subject}`
  }
}
