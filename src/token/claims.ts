import type { Evidence, TokenSource } from '../errors/recognised-mistakes.ts'

/**
 * The claims of a Google ID token, as Google's own tokens have them
 * (https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload), and of
 * an assertion of IAP (https://cloud.google.com/iap/docs/signed-headers-howto).
 */
export interface IdTokenClaims {
  readonly iss: string
  /** Always a single string in Google's tokens: a list is refused. */
  readonly aud: string
  /** The account's unique id; in an assertion of IAP, after the name of its provider and a colon. */
  readonly sub: string
  /** Seconds since the epoch. */
  readonly iat: number
  /** Seconds since the epoch. */
  readonly exp: number
  /** Seconds since the epoch. */
  readonly nbf?: number
  readonly azp?: string
  readonly email?: string
  readonly email_verified?: boolean
  /** The Workspace domain of a person. */
  readonly hd?: string
  /** `google.compute_engine` for a virtual machine's token with `format=full`. */
  readonly google?: Readonly<Record<string, unknown>>
  readonly [claim: string]: unknown
}

type ClaimType = 'string' | 'number' | 'boolean'

/** The claims whose types are checked, from RFC 7519 section 4.1 and OpenID Connect Core section 5.1. */
const TYPED_CLAIMS: readonly (readonly [claim: string, type: ClaimType, required: boolean])[] = [
  ['iss', 'string', true],
  // RFC 7519 allows a list. Google never sends one, and OpenID Connect Core section 3.1.3.7 has a
  // token refused that is also meant for audiences we do not trust, so a list is refused whole.
  ['aud', 'string', true],
  ['sub', 'string', true],
  ['iat', 'number', true],
  ['exp', 'number', true],
  ['nbf', 'number', false],
  ['azp', 'string', false],
  ['email', 'string', false],
  ['email_verified', 'boolean', false],
]

/** What a `sub` must look like. */
export interface SubjectForm {
  readonly pattern: RegExp
  /** For messages. */
  readonly described: string
}

/** What is wrong with a payload as a set of claims, or `null` where its types and `sub` are right. */
export function claimsProblem(
  payload: Readonly<Record<string, unknown>>,
  subject: SubjectForm | null,
): { expected: string; found: string } | null {
  for (const [claim, type, required] of TYPED_CLAIMS) {
    const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
    if (value === undefined ? required : !isOfType(value, type)) {
      return {
        expected: `claim ${claim}: a ${type}`,
        found: value === undefined ? 'no such claim' : typeName(value),
      }
    }
  }
  if (subject === null || subject.pattern.test(payload.sub as string)) return null
  return { expected: `claim sub: ${subject.described}`, found: 'another form' }
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

/** What claims show of a common mistake; `staticKeys`: the keys were given as an option. */
export function evidenceOf(
  { iss, aud, email }: IdTokenClaims,
  source: TokenSource,
  staticKeys = false,
): Evidence {
  return { iss, aud, email, source, staticKeys }
}
