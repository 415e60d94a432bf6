import { isAgentIdentity } from './agent-identity.ts'
import type { IdTokenErrorCode } from './outcomes.ts'

/** Which kind of token says who calls: Google's ID token, or IAP's assertion. */
export type TokenSource = 'id-token' | 'iap'

/**
 * What a refused token says about itself. It may be unverified, because it only chooses the remedy
 * that the log shows.
 */
export interface Evidence {
  readonly iss: string
  readonly aud: string
  readonly email: string | undefined
  /** As what kind of token it was verified. */
  readonly source: TokenSource
  /** Whether the keys were given as an option, as tests do. */
  readonly staticKeys: boolean
}

/** A mistake that a token shows, and what to do about it. */
interface Mistake {
  readonly codes: readonly IdTokenErrorCode[]
  /** @param accepted - the audiences that would have been accepted, of an audience mismatch */
  readonly isShownBy: (evidence: Evidence, accepted: readonly string[]) => boolean
  readonly remedy: string
}

/** A mistake in the value of the header for IAP's assertion. */
function ofAssertions(codes: readonly IdTokenErrorCode[], remedy: string): Mistake {
  return { codes, isShownBy: ({ source }) => source === 'iap', remedy }
}

/** The OAuth client of gcloud. It is the `aud` of the tokens that gcloud prints for a person. */
const GCLOUD_CLIENT = '32555940559.apps.googleusercontent.com'

/** https://cloud.google.com/iap/docs/enabling-cloud-run names the account. */
const IAP_SERVICE_AGENT = /^service-[0-9]+@gcp-sa-iap\.iam\.gserviceaccount\.com$/

/** Mistakes in the audience that a caller asks for: how it differs from an accepted one. */
function inAudience(differs: (aud: string, accepted: string) => boolean, remedy: string): Mistake {
  return {
    codes: ['ID_TOKEN_AUDIENCE_MISMATCH'],
    isShownBy: ({ aud }, accepted) => accepted.some((one) => differs(aud, one)),
    remedy,
  }
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) && /^https?:/.test(url) ? new URL(url).origin : undefined
}

/** The URL of a tagged revision is `https://TAG---` and the rest of the service's URL. */
function isTagged(aud: string, accepted: string): boolean {
  const [tag = '', host] = aud.split('---', 2)
  const service = originOf(accepted)
  return host !== undefined && originOf(`https://${host}`) === service && tag.startsWith('https://')
}

const FOREIGN: readonly IdTokenErrorCode[] = [
  'ID_TOKEN_ALGORITHM_NOT_ALLOWED',
  'ID_TOKEN_KEY_UNKNOWN',
  'ID_TOKEN_ISSUER_MISMATCH',
]

/**
 * Common mistakes, the most specific first. In logs and in `explain`, their remedies replace the
 * general remedy of the outcome.
 */
export const MISTAKES: readonly Mistake[] = [
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
      'the request came through Identity-Aware Proxy (IAP): this is the token with which IAP itself calls Cloud Run, and it says nothing about who called IAP; that is in the header X-Goog-IAP-JWT-Assertion, which the option iap: { audience } verifies',
  },
  ofAssertions(
    FOREIGN,
    'Identity-Aware Proxy (IAP) did not sign what came in X-Goog-IAP-JWT-Assertion: the request reached this service without going through IAP, and then anyone can fill that header; in a test, take the assertion and iap.jwks from the same createTestIssuer()',
  ),
  ofAssertions(
    ['ID_TOKEN_AUDIENCE_MISMATCH'],
    'Identity-Aware Proxy (IAP) made this assertion for another backend: the option iap.audience must name the backend service, application or Cloud Run service that IAP protects here',
  ),
  inAudience(
    (aud, accepted) => aud.replace(/\/$/, '') === accepted.replace(/\/$/, ''),
    'the audience of the token and the accepted one differ in a slash at the end: let the caller ask for exactly the accepted one',
  ),
  inAudience(
    (aud, accepted) => `https://${aud}`.replace(/\/$/, '') === accepted.replace(/\/$/, ''),
    'the audience of the token has no https://: let the caller ask for the URL of this service, with https://',
  ),
  inAudience(
    isTagged,
    "the audience of the token is the URL of a tagged revision (TAG---): let the caller ask for the URL of the service without the tag (the client's option audience)",
  ),
  inAudience(
    (aud, accepted) => originOf(aud) !== undefined && originOf(aud) === originOf(accepted),
    'the audience of the token is the full URL of a request, or has another path: let the caller ask for exactly the accepted audience, for a service its URL without any path',
  ),
  ofAssertions(
    ['ID_TOKEN_EXPIRED'],
    'Identity-Aware Proxy (IAP) makes assertions for ten minutes, a new one for each request: this one was kept and sent again, or the clock of this machine is ahead',
  ),
  ofAssertions(
    ['ID_TOKEN_LIFETIME_TOO_LONG'],
    'Identity-Aware Proxy (IAP) makes assertions for ten minutes: this one is from elsewhere',
  ),
  ofAssertions(
    ['ID_TOKEN_CALLER_UNIDENTIFIED'],
    "Identity-Aware Proxy (IAP) let in somebody without a Google account (Identity Platform, a workforce pool), or whose assertion has no email: lists hold Google's accounts only",
  ),
  {
    codes: ['ID_TOKEN_CALLER_NOT_ALLOWED'],
    isShownBy: ({ email }) => email !== undefined && !email.endsWith('.gserviceaccount.com'),
    remedy:
      'add the caller to allowedCallers if it should get in; it is a person, whom a list holds as an object: { email }',
  },
  {
    codes: FOREIGN,
    isShownBy: ({ iss }) => isAgentIdentity(iss),
    remedy:
      "this is the token of an agent identity; its issuer is not the one of the tokens of service accounts: let the agent call with a service account's ID token",
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
      'this is an assertion of Identity-Aware Proxy (IAP), which counts in the header X-Goog-IAP-JWT-Assertion only, and with the option iap: here the caller must send the ID token of a service account',
  },
  {
    codes: ['ID_TOKEN_KEY_UNKNOWN'],
    isShownBy: ({ staticKeys }) => staticKeys,
    remedy:
      'the token was signed by another issuer than the one whose keys the option jwks holds: in a test, take the token and the jwks from the same createTestIssuer(), and the jwks after the last rotateKeys()',
  },
]

/**
 * The remedy for a mistake that the token shows; `undefined` if it shows none.
 *
 * @param expected - what would have been accepted, as the check has it
 */
export function remedyFor(
  code: IdTokenErrorCode,
  evidence: Evidence,
  expected?: unknown,
): string | undefined {
  const accepted = Array.isArray(expected) ? expected.map(String) : []
  return MISTAKES.find(
    ({ codes, isShownBy }) => codes.includes(code) && isShownBy(evidence, accepted),
  )?.remedy
}
