import type { Evidence, TokenSource } from '../errors/recognised-mistakes.ts'

/**
 * The claims of a Google ID token, as Google's own tokens have them
 * (https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload), and of
 * an assertion of IAP (https://cloud.google.com/iap/docs/signed-headers-howto).
 */
export interface IdTokenClaims {
  /** Who issued the token. */
  readonly iss: string
  /** Whom the token is for. Always a single string in Google's tokens: a list is refused. */
  readonly aud: string
  /** The unique id of the account; in an assertion of IAP, after the name of its provider and a colon. */
  readonly sub: string
  /** When the token was issued: seconds since the epoch. */
  readonly iat: number
  /** When the token expires: seconds since the epoch. */
  readonly exp: number
  /** From when on the token is valid: seconds since the epoch. */
  readonly nbf?: number
  /**
   * The OAuth client to which the token was issued; for a service account, its unique id or its
   * email.
   */
  readonly azp?: string
  /**
   * The email of the account. In an ID token it says who calls only where `email_verified` is
   * `true`.
   */
  readonly email?: string
  /** Whether Google has verified `email`. */
  readonly email_verified?: boolean
  /** The Workspace domain of a person. */
  readonly hd?: string
  /** `google.compute_engine` for a virtual machine's token with `format=full`. */
  readonly google?: Readonly<Record<string, unknown>>
  readonly [claim: string]: unknown
}

type ClaimType = 'string' | 'number' | 'boolean'

interface TypedClaim {
  readonly claim: string
  readonly type: ClaimType
  readonly required: boolean
}

/** The claims whose types are checked, from RFC 7519 section 4.1 and OpenID Connect Core section 5.1. */
const TYPED_CLAIMS: readonly TypedClaim[] = [
  { claim: 'iss', type: 'string', required: true },
  // RFC 7519 allows a list. Google never sends one. By OpenID Connect Core section 3.1.3.7 a token
  // that is also meant for untrusted audiences must be refused, so every list is refused.
  { claim: 'aud', type: 'string', required: true },
  { claim: 'sub', type: 'string', required: true },
  { claim: 'iat', type: 'number', required: true },
  { claim: 'exp', type: 'number', required: true },
  { claim: 'nbf', type: 'number', required: false },
  { claim: 'azp', type: 'string', required: false },
  { claim: 'email', type: 'string', required: false },
  { claim: 'email_verified', type: 'boolean', required: false },
]

/** What a `sub` must look like. */
export interface SubjectForm {
  readonly pattern: RegExp
  /** For messages. */
  readonly described: string
}

type Payload = Readonly<Record<string, unknown>>

/** What is wrong with the claims, if a type or `sub` is wrong; otherwise `null`. */
export function claimsProblem(
  payload: Payload,
  subject: SubjectForm | null,
): { expected: string; found: string } | null {
  const values = typedValues(payload)
  // A payload is parsed from JSON, so it inherits only from `Object.prototype`.
  const inherited = typedValues(Object.prototype as unknown as Payload)
  for (let at = 0; at < TYPED_CLAIMS.length; at += 1) {
    const { claim, type, required } = TYPED_CLAIMS[at] as TypedClaim
    const value = values[at]
    if (inherited[at] !== undefined && !Object.hasOwn(payload, claim)) {
      return { expected: `claim ${claim} of its own`, found: 'one that every object inherits' }
    }
    if (value === undefined ? required : !isOfType(value, type)) {
      const found = value === undefined ? 'no such claim' : typeName(value)
      return { expected: `claim ${claim}: a ${type}`, found }
    }
  }
  if (subject === null || subject.pattern.test(payload.sub as string)) return null
  return { expected: `claim sub: ${subject.described}`, found: 'another form' }
}

/**
 * The values of `TYPED_CLAIMS`, in that order. V8 reads them fast by fixed names: reading each by a
 * name from the table, and asking whether it is inherited, costs ten times as much.
 */
function typedValues(payload: Payload): readonly unknown[] {
  const { iss, aud, sub, iat, exp, nbf, azp, email, email_verified: emailVerified } = payload
  return [iss, aud, sub, iat, exp, nbf, azp, email, emailVerified]
}

function isOfType(value: unknown, type: ClaimType): boolean {
  if (type === 'number') return Number.isFinite(value)
  return typeof value === type && value !== ''
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return Number.isFinite(value) || typeof value !== 'number'
    ? `a ${typeof value}`
    : 'a number that is not finite'
}

/** The evidence of common mistakes in the claims. `staticKeys`: the keys were given as an option. */
export function evidenceOf(
  { iss, aud, email }: IdTokenClaims,
  source: TokenSource,
  staticKeys = false,
): Evidence {
  return { iss, aud, email, source, staticKeys }
}
