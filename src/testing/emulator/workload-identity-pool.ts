/**
 * A workload identity pool, and the identity providers outside Google whose tokens it accepts.
 *
 * @see https://cloud.google.com/iam/docs/workload-identity-federation
 */
import { jwtVerify, SignJWT } from 'jose'
import { awsCallerOf } from './aws-subject-token.ts'

const POOL = 'emulator-pool'
const PROVIDER = 'emulator-provider'
const AWS_PROVIDER = 'emulator-aws-provider'
const PROVIDER_ISSUER = 'https://identity-provider.example.com'
const LIFETIME = 3600

/** The pool of an emulator: one provider signs with its own secret, the other one is AWS. */
export class WorkloadIdentityPool {
  /** The provider's resource name, the `audience` of a token exchange. */
  readonly audience: string
  /** The same of the provider for AWS. */
  readonly awsAudience: string
  readonly #name: string
  readonly #secret: Uint8Array
  readonly #now: () => number

  /** @param now - seconds since the epoch */
  constructor(projectNumber: number, secret: Uint8Array, now: () => number) {
    this.#name = `//iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${POOL}`
    this.audience = `${this.#name}/providers/${PROVIDER}`
    this.awsAudience = `${this.#name}/providers/${AWS_PROVIDER}`
    this.#secret = secret
    this.#now = now
  }

  /** A subject token, which the provider gives to a workload. */
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
   * The subject of a subject token, as IAM spells it.
   *
   * @returns `null` for a token that the provider has not signed, or that has expired
   */
  async memberOf(subjectToken: string): Promise<string | null> {
    const currentDate = new Date(this.#now() * 1000)
    const { audience } = this
    const rules = { issuer: PROVIDER_ISSUER, audience, currentDate, algorithms: ['HS256'] }
    try {
      const { payload } = await jwtVerify(subjectToken, this.#secret, rules)
      return this.member(String(payload.sub))
    } catch {
      return null
    }
  }

  /**
   * The caller on AWS that has signed a request, as IAM spells it.
   *
   * @returns `null` for anything but such a request
   */
  memberOnAws(subjectToken: string): string | null {
    const arn = awsCallerOf(subjectToken, this.awsAudience)
    return arn === null ? null : this.member(arn)
  }

  /** A workload as IAM spells it. */
  member(subject: string): string {
    return `principal:${this.#name}/subject/${subject}`
  }
}
