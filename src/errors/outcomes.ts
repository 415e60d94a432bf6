/**
 * Every way in which a request can be refused, in the order in which the checks are made.
 *
 * Status codes, challenges, logs, `explain` and the documentation all use this table.
 */

/** The checks that a request goes through, in order: the first that fails is the outcome. */
export const CHECKS = [
  'credentials',
  'shape',
  'algorithm',
  'key',
  'signature',
  'issuer',
  'audience',
  'expiry',
  'not-before',
  'lifetime',
  'caller',
] as const

/**
 * The name of one check.
 *
 * @useDeclaredType
 */
export type Check = (typeof CHECKS)[number]

/**
 * What goes into `WWW-Authenticate`: an error code of RFC 6750 section 3.1; `null` for a challenge
 * without an error (the request had no credentials to verify); or `undefined` for no challenge (no
 * other request of the caller would help).
 */
export type ChallengeError =
  'invalid_request' | 'invalid_token' | 'insufficient_scope' | null | undefined

interface Outcome {
  check: Check
  status: number
  challenge: ChallengeError
  /** When it happens, for the documentation. */
  when: string
  /** What the response says: nothing about the token, the audience or the list. */
  message: string
  /** What the operator can do about it, for logs and `explain`. */
  remedy: string
}

/** The outcome table. */
export const OUTCOMES = {
  ID_TOKEN_MISSING: {
    check: 'credentials',
    status: 401,
    challenge: null,
    when: 'no header that may hold a token is there',
    message: 'An ID token is required',
    remedy:
      'the caller must send a Google-signed ID token: "Authorization: Bearer <ID token>", or the same in X-Serverless-Authorization',
  },
  ID_TOKEN_SCHEME_UNSUPPORTED: {
    check: 'credentials',
    status: 401,
    challenge: null,
    when: 'the deciding header is not `Bearer`',
    message: 'The Bearer authentication scheme is required',
    remedy:
      'the header that decides must read "Bearer <ID token>"; X-Serverless-Authorization decides wherever it is present',
  },
  ID_TOKEN_REQUEST_MALFORMED: {
    check: 'credentials',
    status: 400,
    challenge: 'invalid_request',
    when: 'the header is repeated, or does not hold exactly one token; or there are so many headers that Node may have dropped one',
    message: 'Exactly one Bearer token must be sent, in a header that is not repeated',
    remedy:
      'the caller sends no token, or something else in its place (a Promise that was not awaited, an empty variable), or the header is sent twice, by the caller or a proxy on the way',
  },
  ID_TOKEN_MALFORMED: {
    check: 'shape',
    status: 401,
    challenge: 'invalid_token',
    when: 'over 8 KiB, not three strict base64url segments, header or payload not a JSON object, `crit` present, a claim of the wrong type, or a required claim (iss, aud, sub, iat, exp) missing',
    message: 'The ID token is malformed',
    remedy:
      'the caller sends something that is not an ID token (an OAuth access token, ya29..., is a common mistake), or one that was cut off or altered on the way',
  },
  ID_TOKEN_ALGORITHM_NOT_ALLOWED: {
    check: 'algorithm',
    status: 401,
    challenge: 'invalid_token',
    when: '`alg` is not RS256 (for an assertion of IAP: not ES256)',
    message: 'The ID token is signed with an algorithm that is not allowed',
    remedy:
      'Google signs ID tokens with RS256; a token with ES256 is probably an assertion of Identity-Aware Proxy, and one with HS256 comes from another system',
  },
  ID_TOKEN_KEY_UNKNOWN: {
    check: 'key',
    status: 401,
    challenge: 'invalid_token',
    when: 'the newest fetch of the keys succeeded, and no key has the `kid` of the token',
    message: 'The ID token is signed with an unknown key',
    remedy:
      'the token is not signed by this issuer: Firebase, Identity-Aware Proxy and self-signed tokens use other keys',
  },
  ID_TOKEN_KEYS_UNAVAILABLE: {
    check: 'key',
    status: 503,
    challenge: undefined,
    when: 'there are no usable keys; or no key has the `kid` of the token, and the newest fetch failed',
    message: 'The keys to verify ID tokens are unavailable, try again later',
    remedy:
      'the key endpoint cannot be reached or gives no usable answer: see the warnings about the keys of ID tokens',
  },
  ID_TOKEN_SIGNATURE_REMOVED: {
    check: 'signature',
    status: 401,
    challenge: 'invalid_token',
    when: 'the signature is `SIGNATURE_REMOVED_BY_GOOGLE`, untrusted and without an intact copy',
    message: 'The signature of the ID token was removed by the platform',
    remedy:
      'either let the caller send the same token in both headers (Cloud Run leaves Authorization intact when it checks X-Serverless-Authorization), or, where Authorization is taken, in a header of its own that the option twinHeader names; or, only where the IAM check of the service is on and nothing else reaches its port, set trustRemovedSignature: true (if the container speaks HTTP/2, it is for X-Serverless-Authorization only)',
  },
  ID_TOKEN_SIGNATURE_INVALID: {
    check: 'signature',
    status: 401,
    challenge: 'invalid_token',
    when: 'the signature does not verify with the key that the token names',
    message: 'The signature of the ID token is invalid',
    remedy: 'the token was changed on the way, or forged',
  },
  ID_TOKEN_ISSUER_MISMATCH: {
    check: 'issuer',
    status: 401,
    challenge: 'invalid_token',
    when: '`iss` is not one of the issuers',
    message: 'The ID token is from an issuer that is not accepted',
    remedy: 'the token is not a Google ID token, or the issuer option names another issuer',
  },
  ID_TOKEN_AUDIENCE_MISMATCH: {
    check: 'audience',
    status: 401,
    challenge: 'invalid_token',
    when: '`aud` is not one of the audiences',
    message: 'The ID token is meant for another audience',
    remedy:
      'the caller must ask for a token with the audience of this service, or the audience option lacks one of its URLs (a Cloud Run service has two)',
  },
  ID_TOKEN_EXPIRED: {
    check: 'expiry',
    status: 401,
    challenge: 'invalid_token',
    when: '`exp` has passed by more than the clock tolerance',
    message: 'The ID token has expired',
    remedy:
      'the caller must fetch a new token, because ID tokens live one hour; if it has just fetched this one, the clock of this machine is ahead',
  },
  ID_TOKEN_NOT_YET_VALID: {
    check: 'not-before',
    status: 401,
    challenge: 'invalid_token',
    when: '`nbf` or `iat` lies in the future by more than the clock tolerance',
    message: 'The ID token is not valid yet',
    remedy: 'the clock of this machine is behind: compare it with the time in the token',
  },
  ID_TOKEN_LIFETIME_TOO_LONG: {
    check: 'lifetime',
    status: 401,
    challenge: 'invalid_token',
    when: '`exp` − `iat` is longer than `maxTokenLifetime`',
    message: 'The ID token is valid for too long',
    remedy: 'Google issues ID tokens for one hour: the token is from elsewhere',
  },
  ID_TOKEN_CALLER_UNIDENTIFIED: {
    check: 'caller',
    status: 403,
    challenge: 'insufficient_scope',
    when: 'verified, but without a verified email, and its `sub` is not in the list',
    message: 'The caller cannot be identified',
    remedy:
      "the token has no verified email: ask for it with format=full (metadata server), includeEmail: true (generateIdToken) or --include-email (gcloud), or list the account's unique id",
  },
  ID_TOKEN_CALLER_NOT_ALLOWED: {
    check: 'caller',
    status: 403,
    challenge: 'insufficient_scope',
    when: 'verified, but not in the list',
    message: 'The caller is not allowed',
    remedy:
      'add the caller to allowedCallers if it should get in; an account that was deleted and made again has another unique id',
  },
} as const satisfies Record<string, Outcome>

/**
 * The code of a refusal. docs/options.md says when each one happens, and its status.
 *
 * @useDeclaredType
 */
export type IdTokenErrorCode = keyof typeof OUTCOMES
