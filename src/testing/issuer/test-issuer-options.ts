/** The options of a test issuer, and of its tokens. */
import type { JWK } from 'jose'
import { parseNames, invalidOption, invalidSecretOption } from '../../checks/invalid-option.ts'
import { parseDateClock } from '../../checks/parse-options.ts'

/** The content of a token. Everything that is left out is as in Google's own tokens. */
export interface TestIdToken {
  /** `aud`: the service that the token is for. */
  audience: string
  /**
   * The service account's email, which comes with `email_verified: true`. Default: neither claim,
   * like the metadata server's tokens without `format=full`.
   */
  email?: string | undefined
  /** `sub` and `azp`: the account's unique id. Default: 21 digits, computed from the email. */
  subject?: string | undefined
  /**
   * Seconds from now to `exp`. Default 3600. For an expired token, a negative number. It must be
   * beyond the verifier's `clockTolerance`, which is 60 by default.
   */
  expiresIn?: number | undefined
  /** Overrides claims; with `undefined`, removes them. */
  claims?: Readonly<Record<string, unknown>> | undefined
  /** Overrides members of the JOSE header; with `undefined`, removes them. */
  header?: Readonly<Record<string, unknown>> | undefined
  /** A private JWK to sign with instead of the issuer's newest; the `kid` stays the issuer's. */
  key?: JWK | undefined
}

/**
 * What an assertion of Identity-Aware Proxy says. What is left out is as IAP has it. `audience` is what
 * IAP protects, such as `/projects/NUMBER/global/backendServices/ID`.
 */
export interface TestIapAssertion extends Pick<
  TestIdToken,
  'audience' | 'claims' | 'header' | 'key'
> {
  /** The email of the person or the service account. Default: no such claim. */
  email?: string | undefined
  /**
   * The account's unique id: what follows `accounts.google.com:` in `sub`. Default: 21 digits that
   * follow from the email.
   */
  subject?: string | undefined
  /** Seconds from now to `exp`. Default 600. For an expired assertion, a negative number. */
  expiresIn?: number | undefined
}

/** The options of `createTestIssuer`. */
export interface TestIssuerOptions {
  /** `iss`. Default `https://accounts.google.com`. */
  issuer?: string | undefined
  /** The time of its tokens. Default: the system's. */
  clock?: (() => Date) | undefined
  /** The private key to begin with, a JWK with a `kid`. Default: a new key. */
  key?: JWK | undefined
}

/** The options with their defaults. If `key` is missing, it is made later. */
export interface TestIssuerSettings {
  readonly issuer: string
  readonly clock: () => Date
  readonly key: JWK | undefined
}

const OPTION_NAMES = ['issuer', 'clock', 'key'] as const satisfies (keyof TestIssuerOptions)[]
const TOKEN_NAMES = [
  'audience',
  'email',
  'subject',
  'expiresIn',
  'claims',
  'header',
  'key',
] as const satisfies (keyof TestIdToken & keyof TestIapAssertion)[]

/** What a private key must have. */
interface KeyForm {
  readonly kty: string
  readonly members: readonly (keyof JWK)[]
}

const RSA: KeyForm = { kty: 'RSA', members: ['n', 'e', 'd'] }
const EC: KeyForm = { kty: 'EC', members: ['crv', 'x', 'y', 'd'] }

/** @throws TypeError naming the option */
export function parseTestIssuerOptions(value: unknown): TestIssuerSettings {
  const { issuer, clock, key } = parseNames('options', value, OPTION_NAMES)
  return {
    issuer: issuer === undefined ? 'https://accounts.google.com' : parseText('issuer', issuer),
    clock: parseDateClock(clock),
    key:
      key === undefined ? undefined : parseKey(key, { ...RSA, members: ['kid', ...RSA.members] }),
  }
}

/**
 * Checks the description of a token. `claims` and `header` are not checked.
 *
 * @throws TypeError naming the option
 */
export function parseTestIdToken(value: unknown): TestIdToken {
  return parseToken(value, RSA)
}

/**
 * The same for an assertion of IAP.
 *
 * @throws TypeError naming the option
 */
export function parseTestIapAssertion(value: unknown): TestIapAssertion {
  return parseToken(value, EC)
}

function parseToken(value: unknown, keyForm: KeyForm): TestIdToken & TestIapAssertion {
  const token = parseNames('options', value, TOKEN_NAMES)
  const { audience, email, subject, expiresIn, claims, header, key } = token
  return {
    audience: parseText('audience', audience),
    email: email === undefined ? undefined : parseText('email', email),
    subject: subject === undefined ? undefined : parseText('subject', subject),
    expiresIn: expiresIn === undefined ? undefined : parseSeconds('expiresIn', expiresIn),
    claims: claims === undefined ? undefined : parseMembers('claims', claims),
    header: header === undefined ? undefined : parseMembers('header', header),
    key: key === undefined ? undefined : parseKey(key, keyForm),
  }
}

function parseText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalidOption(name, value, 'a non-empty string')
}

function parseSeconds(name: string, value: unknown): number {
  if (Number.isFinite(value)) return Number(value)
  throw invalidOption(name, value, 'a number of seconds')
}

function parseMembers(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw invalidOption(name, value, 'an object')
}

/** Never prints the key. */
function parseKey(value: unknown, { kty, members }: KeyForm): JWK {
  const accepted = `a private ${kty} key as JWK, with ${members.join(', ')}`
  if (typeof value !== 'object' || value === null) {
    throw invalidSecretOption('key', 'is no object', accepted)
  }
  const key = value as JWK
  if (key.kty !== kty) throw invalidSecretOption('key', `is no ${kty} key`, accepted)
  for (const member of members) {
    const isText = typeof key[member] === 'string' && key[member] !== ''
    if (!isText) throw invalidSecretOption('key', `has no ${member}`, accepted)
  }
  return key
}
