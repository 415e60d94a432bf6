/** What the ID tokens of each of Google's sources say, as tokens for a test issuer to sign. */
import { createHash } from 'node:crypto'
import { uniqueIdOf } from './google-claims.ts'
import type { TestIdToken } from './test-issuer-options.ts'

/** One of many digits, as that of any public image. */
const LICENSE_ID = '5926592092274602096'

/** How the metadata server is asked. */
export interface MetadataFormat {
  /** `format=full`. */
  readonly full: boolean
  /** `licenses=TRUE`, which only a virtual machine has. */
  readonly licenses: boolean
  /** The virtual machine, where there is one: Cloud Run and GKE tell of none. */
  readonly computeEngine: Readonly<Record<string, unknown>> | undefined
}

/** The metadata server's: an email, and the virtual machine, only with `format=full`. */
export function metadataToken(
  email: string,
  audience: string,
  { full, licenses, computeEngine }: MetadataFormat,
): TestIdToken {
  const claim = { ...computeEngine, ...(licenses && { license_id: [LICENSE_ID] }) }
  return {
    audience,
    subject: uniqueIdOf(email),
    ...(full && { email }),
    ...(full && computeEngine && { claims: { google: { compute_engine: claim } } }),
  }
}

/** The token endpoint's, for an assertion signed with a service account's key. */
export function keyFileToken(email: string, audience: string): TestIdToken {
  return { audience, email, claims: { azp: email } }
}

/** That of Pub/Sub, Cloud Tasks, Cloud Scheduler and Eventarc, for the account they are told to use. */
export function pushToken(email: string, audience: string): TestIdToken {
  return { audience, email }
}

/** What `generateIdToken` is asked for. */
export interface GenerateIdTokenFields {
  readonly audience: string
  readonly includeEmail: boolean
  /** Undocumented; Google's own clients send it. */
  readonly useEmailAzp: boolean
  /** `null` where the project is in no organization, `undefined` where nobody asked. */
  readonly organizationNumber: number | null | undefined
}

/** The Service Account Credentials API's. */
export function generatedIdToken(email: string, fields: GenerateIdTokenFields): TestIdToken {
  const { audience, includeEmail, useEmailAzp, organizationNumber } = fields
  return {
    audience,
    subject: uniqueIdOf(email),
    ...(includeEmail && { email }),
    claims: {
      ...(useEmailAzp && { azp: email }),
      ...(organizationNumber !== undefined && {
        google: { organization_number: organizationNumber },
      }),
    },
  }
}

/** A person's. `azp` is the OAuth client; so is `aud`, whatever audience was asked for. */
export function userToken(
  email: string,
  { audience, clientId, accessToken }: { audience: string; clientId: string; accessToken: string },
): TestIdToken {
  const domain = email.slice(email.indexOf('@') + 1)
  return {
    audience,
    email,
    claims: { azp: clientId, at_hash: accessTokenHash(accessToken), hd: workspace(domain) },
  }
}

/** Only Google Workspace domains are told. */
function workspace(domain: string): string | undefined {
  return domain === 'gmail.com' ? undefined : domain
}

/** OpenID Connect Core section 3.1.3.6: the left half of the hash. */
function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
