/** The ID tokens of each of Google's sources, for a test issuer to sign. */
import { createHash } from 'node:crypto'
import { uniqueIdOf } from './google-claims.ts'
import type { TestIdToken } from './test-issuer-options.ts'

/** A number of many digits, like that of any public image. */
const LICENSE_ID = '5926592092274602096'

/** The parameters of a request to the metadata server. */
export interface MetadataFormat {
  /** `format=full`. */
  readonly full: boolean
  /** `licenses=TRUE`, which only has an effect on a virtual machine. */
  readonly licenses: boolean
  /** The virtual machine, if there is one: Cloud Run and GKE have none. */
  readonly computeEngine: Readonly<Record<string, unknown>> | undefined
}

/**
 * The token of the metadata server. Only with `format=full` it has the email, and the virtual
 * machine if there is one.
 */
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

/** The token of the token endpoint, for an assertion signed with a service account's key. */
export function keyFileToken(email: string, audience: string): TestIdToken {
  return { audience, email, claims: { azp: email } }
}

/**
 * The token of Pub/Sub, Cloud Tasks, Cloud Scheduler and Eventarc, for the account that is
 * configured there.
 */
export function pushToken(email: string, audience: string): TestIdToken {
  return { audience, email }
}

/** The parameters of `generateIdToken`. */
export interface GenerateIdTokenFields {
  readonly audience: string
  readonly includeEmail: boolean
  /** Undocumented; Google's own clients send it. */
  readonly useEmailAzp: boolean
  /** `null` if the project is in no organization, `undefined` if it was not requested. */
  readonly organizationNumber: number | null | undefined
}

/** The token of the Service Account Credentials API. */
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

/**
 * The token of a person. `azp` is the OAuth client, and `aud` is the given audience.
 */
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

/** Only Google Workspace domains have this claim. */
function workspace(domain: string): string | undefined {
  return domain === 'gmail.com' ? undefined : domain
}

/** OpenID Connect Core section 3.1.3.6: the left half of the hash. */
function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
