import type { IdTokenErrorCode } from './outcomes.ts'

/**
 * What a refused token says about itself. It may be unverified, because it only chooses the remedy
 * that the log shows.
 */
export interface Evidence {
  readonly iss: string
  readonly aud: string
  readonly email: string | undefined
  /** Whether the keys were given as an option, as tests do. */
  readonly staticKeys: boolean
}

/** A mistake that a token shows, and what to do about it. */
interface Mistake {
  readonly codes: readonly IdTokenErrorCode[]
  readonly isShownBy: (evidence: Evidence) => boolean
  readonly remedy: string
}

/** The OAuth client of gcloud. It is the `aud` of the tokens that gcloud prints for a person. */
const GCLOUD_CLIENT = '32555940559.apps.googleusercontent.com'

/** https://cloud.google.com/iap/docs/enabling-cloud-run names the account. */
const IAP_SERVICE_AGENT = /^service-[0-9]+@gcp-sa-iap\.iam\.gserviceaccount\.com$/

const FOREIGN: readonly IdTokenErrorCode[] = [
  'ID_TOKEN_ALGORITHM_NOT_ALLOWED',
  'ID_TOKEN_KEY_UNKNOWN',
  'ID_TOKEN_ISSUER_MISMATCH',
]

/**
 * Common mistakes, the most specific first. In logs and in `explain`, their remedies replace the
 * general remedy of the outcome.
 */
const MISTAKES: readonly Mistake[] = [
  {
    codes: ['ID_TOKEN_AUDIENCE_MISMATCH'],
    isShownBy: ({ aud }) => aud === GCLOUD_CLIENT,
    remedy:
      "this is the token of a person's own gcloud login, which cannot name an audience: impersonate a service account, gcloud auth print-identity-token --impersonate-service-account=ACCOUNT --audiences=URL --include-email",
  },
  {
    codes: ['ID_TOKEN_SIGNATURE_REMOVED'],
    isShownBy: ({ email }) => email !== undefined && IAP_SERVICE_AGENT.test(email),
    remedy:
      'the request came through Identity-Aware Proxy (IAP): this is the token with which IAP itself calls Cloud Run, and it says nothing about who called IAP; that is in the header X-Goog-IAP-JWT-Assertion',
  },
  {
    codes: FOREIGN,
    isShownBy: ({ iss }) => iss.startsWith('https://sts.googleapis.com/v1/organizations/'),
    remedy:
      "this is the token of an agent identity, which another issuer signs than that of service accounts: let the agent call with a service account's ID token",
  },
  {
    codes: FOREIGN,
    isShownBy: ({ iss }) => iss.startsWith('https://securetoken.google.com/'),
    remedy:
      'this is the token of a Firebase or Identity Platform user: the caller must send the ID token of a service account',
  },
  {
    codes: FOREIGN,
    isShownBy: ({ iss }) => iss === 'https://cloud.google.com/iap',
    remedy:
      'this is an assertion of Identity-Aware Proxy (IAP): the caller must send the ID token of a service account',
  },
  {
    codes: ['ID_TOKEN_KEY_UNKNOWN'],
    isShownBy: ({ staticKeys }) => staticKeys,
    remedy:
      'the token was signed by another issuer than the one whose keys the option jwks holds: in a test, take the token and the jwks from the same createTestIssuer(), and the jwks after the last rotateKeys()',
  },
]

/** The remedy for a mistake that the token shows; `undefined` if it shows none. */
export function remedyFor(code: IdTokenErrorCode, evidence: Evidence): string | undefined {
  return MISTAKES.find(({ codes, isShownBy }) => codes.includes(code) && isShownBy(evidence))
    ?.remedy
}
