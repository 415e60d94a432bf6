/**
 * Random tokens, good or broken in any way, verified by this library and by jose. A token is described
 * before it is made, so that fast-check can shrink what the two disagree about to the one thing that
 * matters, and print it.
 */
import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWK, type JWTPayload } from 'jose'
import type { Test } from 'tap'
import { createVerifier, type Verifier } from '../../src/index.ts'
import { audience, login } from './shop.ts'
import { codeOf } from './timed-verifier.ts'
import { issuer, otherIssuer } from './issuer.ts'

const SEED = 20_261_123
/** The time of these tokens. */
export const NOW = new Date('2026-11-23T12:00:00Z')
/** The same in seconds. */
export const SECONDS = NOW.getTime() / 1000
const TOLERANCE = 60

const keys = { issuer: privateKeyOf(issuer.key), stranger: privateKeyOf(otherIssuer.key) }

const HEADER = { alg: 'RS256', kid: issuer.key.kid, typ: 'JWT' }
const CLAIMS = {
  iss: 'https://accounts.google.com',
  aud: audience,
  sub: '108612345678901234567',
  email: login,
  email_verified: true,
  iat: SECONDS,
  exp: SECONDS + 3600,
}

function privateKeyOf(key: JWK): KeyObject {
  return createPrivateKey({ key: key as JsonWebKey, format: 'jwk' })
}

const which = fc.nat({ max: 2 })
const oneOf = fc.constantFrom

/** Up to two minutes from now, or back: on both sides of what clocks may differ by. */
const soon = fc
  .oneof(fc.constantFrom(-61, -60, -59, 59, 60, 61), fc.integer({ min: -120, max: 120 }))
  .map((seconds) => SECONDS + seconds)

/** One of these members, or two. */
function fewOf(values: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  const members = Object.entries(values).map(([name, value]) => fc.tuple(fc.constant(name), value))
  return fc
    .array(fc.oneof(...members), { minLength: 1, maxLength: 2 })
    .map((edits) => Object.fromEntries(edits) as object)
}

/** What a header says otherwise; `undefined`: not at all. */
const otherHeader = fewOf({
  alg: oneOf('RS512', 'PS256', 'HS256', 'rs256', 'none', '', 1, undefined),
  kid: oneOf(otherIssuer.key.kid, 'other', '', 7, undefined),
  typ: oneOf('at+jwt', 'x', undefined),
  crit: oneOf(['exp'], ['b64'], [], 'b64'),
  b64: oneOf(false, true),
  jwk: oneOf(otherIssuer.jwks.keys[0]),
  x5t: oneOf('A', 'a'.repeat(400)),
})

/** What the claims say otherwise; `undefined`: not at all. */
const otherClaims = fewOf({
  iss: oneOf('https://issuer.example.com', 'https://accounts.google.com/', '', 1, undefined),
  aud: oneOf('https://other.run.app', [audience], [], '', undefined),
  sub: oneOf('1', '', 1, undefined),
  email: oneOf(undefined, '', 1),
  iat: fc.oneof(soon, oneOf('1', null, undefined)),
  exp: fc.oneof(soon, oneOf(0, -1, 1e300, '1', null, undefined)),
  nbf: fc.oneof(soon, oneOf('1', null)),
  text: oneOf('é€𝄞', '\u0000', 'é€𝄞'.repeat(600)),
})

/** What stands before the claims in the signed JSON. */
const before = oneOf('', ' ', '\n', '[', '{"aud":"x",', '{"__proto__":{"aud":"x"},')

const character = oneOf(
  'A',
  'Q',
  'g',
  'w',
  'Z',
  '0',
  '9',
  '-',
  '_',
  '+',
  '/',
  '=',
  '.',
  ' ',
  '\n',
  '\t',
  ',',
  'é',
  '\u0141',
  '%',
  '\0',
)

/** Something that happens to a segment after the token is signed, or to all of them. */
const change = fc.oneof(
  // Low bits of the last character are not all used, so one place counts from the end.
  fc.record({ kind: oneOf('replace', 'replace last'), which, at: fc.nat(400), by: character }),
  fc.record({ kind: oneOf('append'), which, by: oneOf('=', '==', 'A', '.', ' ', '\n') }),
  fc.record({ kind: oneOf('put'), which, by: oneOf('', 'A', 'AA', '=', 'e30') }),
  fc.record({
    kind: oneOf('cut the start', 'cut the end'),
    which,
    at: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: oneOf('drop', 'take from another token'), which }),
  fc.record({ kind: oneOf('add'), by: oneOf('', 'A') }),
)

interface Change {
  readonly kind: string
  readonly which?: number
  readonly at?: number
  readonly by?: string
}

/** A token before it is made. */
export interface Description {
  readonly header: object
  readonly claims: object
  readonly before: string
  readonly signedBy: keyof typeof keys
  readonly changes: readonly Change[]
}

/** Most tokens differ from a good one in one respect: otherwise one fault would hide another. */
const seldom = <Value>(good: Value, other: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constant(good) },
    { weight: 1, arbitrary: other },
  )

/** Good in more than a third of all cases. */
export const anyToken: fc.Arbitrary<Description> = fc.record({
  header: seldom<object>({}, otherHeader),
  claims: seldom<object>({}, otherClaims),
  before: seldom('', before),
  signedBy: seldom<keyof typeof keys>('issuer', fc.constant('stranger')),
  changes: seldom<readonly Change[]>([], fc.array(change, { minLength: 1, maxLength: 2 })),
})

function signed({
  header,
  claims,
  before: start,
  signedBy,
}: Omit<Description, 'changes'>): string[] {
  const json = JSON.stringify({ ...CLAIMS, ...claims })
  const payload = start.startsWith('{') ? start + json.slice(1) : start + json
  const encoded = [JSON.stringify({ ...HEADER, ...header }), payload].map((part) =>
    Buffer.from(part).toString('base64url'),
  )
  const isUnsecured = 'alg' in header && header.alg === 'none'
  const signature = sign('sha256', Buffer.from(encoded.join('.')), keys[signedBy])
  return [...encoded, isUnsecured ? '' : signature.toString('base64url')]
}

const another = signed({
  header: {},
  claims: { sub: '1', email: 'search@shop-prod.iam.gserviceaccount.com' },
  before: '',
  signedBy: 'issuer',
})

function changed(
  segments: readonly string[],
  { kind, which = 0, at = 0, by = '' }: Change,
): string[] {
  const segment = segments[which] ?? ''
  const place = kind === 'replace last' ? segment.length - 1 : at % (segment.length || 1)
  const results: Record<string, () => string[]> = {
    append: () => segments.with(which, segment + by),
    put: () => segments.with(which, by),
    'cut the start': () => segments.with(which, segment.slice(at)),
    'cut the end': () => segments.with(which, segment.slice(0, -at)),
    drop: () => segments.toSpliced(which, 1),
    'take from another token': () => segments.with(which, another[which] ?? ''),
    add: () => [...segments, by],
  }
  const replaced = () =>
    segments.with(which, segment.slice(0, place) + by + segment.slice(place + 1))
  return which < segments.length || kind === 'add' ? (results[kind] ?? replaced)() : [...segments]
}

/** Makes a token. */
export function tokenOf({ changes, ...description }: Description): string {
  return changes.reduce(changed, signed(description)).join('.')
}

const joseKeys = createLocalJWKSet(issuer.jwks as JSONWebKeySet)

async function referenceAccepts(token: string): Promise<boolean> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, joseKeys, {
      algorithms: ['RS256'],
      audience,
      issuer: ['https://accounts.google.com', 'accounts.google.com'],
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: TOLERANCE,
      currentDate: NOW,
    })
    return (
      isStrictlySpelled(token) &&
      token.length <= 8192 &&
      // If the set has one key, jose uses it for a token without a `kid` too.
      protectedHeader.kid === issuer.key.kid &&
      !('crit' in protectedHeader) &&
      areClaimsOfGoogle(payload)
    )
  } catch {
    return false
  }
}

/** Here a token has one spelling (RFC 7515 section 2); jose reads padding and stray bits away. */
export function isStrictlySpelled(token: string): boolean {
  const spelled = (segment: string) => Buffer.from(segment, 'base64url').toString('base64url')
  return token.split('.').every((segment) => spelled(segment) === segment)
}

/** What this library asks of claims, and jose does not. */
function areClaimsOfGoogle({ aud, sub, iat = NaN, exp = NaN, email }: JWTPayload): boolean {
  const areStrings = [aud, sub, email ?? login].every(
    (one) => typeof one === 'string' && one !== '',
  )
  return areStrings && iat <= SECONDS + TOLERANCE && exp - iat <= 86_400
}

/** Asserts that both have the same outcome for so many tokens. */
export async function compareWithJose(t: Test, tokens: number): Promise<void> {
  const options = { audience, jwks: issuer.jwks, clock: () => NOW, clockTolerance: TOLERANCE }
  const verifiers: Record<string, Verifier> = {
    'with a cache': createVerifier({ ...options, tokenCache: { max: 1000 } }),
    'without a cache': createVerifier({ ...options, tokenCache: false }),
  }
  const counts = { accepted: 0, refused: 0 }
  const property = fc.asyncProperty(anyToken, async (description) => {
    const token = tokenOf(description)
    const isAccepted = await referenceAccepts(token)
    counts[isAccepted ? 'accepted' : 'refused'] += 1
    for (const [which, { verifyAnyCallerSync }] of Object.entries(verifiers)) {
      const outcome = await codeOf(() => verifyAnyCallerSync(token))
      if ((outcome === 'accepted') === isAccepted) continue
      throw new Error(`jose ${isAccepted ? 'accepts' : 'refuses'} it; ${which}: ${outcome}`)
    }
  })
  await fc.assert(property, { seed: SEED, numRuns: tokens, includeErrorInReport: true })
  t.ok(counts.accepted > tokens / 5, `${counts.accepted} accepted`)
  t.ok(counts.refused > tokens / 5, `${counts.refused} refused`)
}
