import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import { createVerifier, IdTokenError } from '../../src/index.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { audience } from '../helpers/shop.ts'

// jose is the judge: on every token, good or broken in any way, it must come to the same verdict.
// One rule is ours alone: jose reads a signature with padding or stray bits as the one it resembles,
// and here a token has one spelling (RFC 7515 section 2).

const TOKENS = 100_000
const NOW = new Date('2026-11-23T12:00:00Z')

const issuer = await createTestIssuer({ clock: () => NOW })
const stranger = await createTestIssuer({ clock: () => NOW })

/** The same numbers at each run, so that a failure can be found again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
const below = randomNumbers(20_261_123)

function one<Value>(values: readonly Value[]): Value {
  return values[below(values.length)] as Value
}

/** Signed tokens to begin with: all that Google signs, and what differs in one claim or member. */
async function signedTokens(): Promise<string[]> {
  const email = 'login@shop-prod.iam.gserviceaccount.com'
  const good = { email, audience }
  const tokens = [
    ...Array.from({ length: 60 }, (_, i) => ({ ...good, claims: { n: 'é€𝄞'.repeat(i) } })),
    ...Array.from({ length: 20 }, (_, i) => ({ ...good, expiresIn: -100 + 10 * i })),
    { audience: 'https://other.run.app' },
    { ...good, claims: { iss: 'https://issuer.example.com' } },
    { ...good, header: { alg: 'RS512' } },
    { ...good, header: { alg: 'HS256' } },
    { ...good, header: { alg: 'none' } },
    { ...good, header: { alg: undefined } },
    { ...good, header: { crit: ['b64'], b64: false } },
    { ...good, header: { crit: ['exp'] } },
    { ...good, header: { kid: stranger.key.kid } },
    { ...good, header: { jwk: stranger.jwks.keys[0] }, key: stranger.key },
    { ...good, key: stranger.key },
    ...['iss', 'aud', 'sub', 'iat', 'exp'].map((claim) => ({
      ...good,
      claims: { [claim]: undefined },
    })),
  ]
  return Promise.all(tokens.map((token) => issuer.idToken(token)))
}

const ALPHABET = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const FOREIGN = ['+', '/', '=', '.', ' ', '\n', '\t', ',', 'é', '\u0141', '%', '\0']

function replaced(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1)
}

function reencoded(segment: string, change: (json: string) => string): string {
  const json = Buffer.from(segment, 'base64url').toString()
  return Buffer.from(change(json)).toString('base64url')
}

type Segments = [header: string, payload: string, signature: string]

/** Ways to break a token: in its header, payload, signature or encoding. */
const MUTATIONS: readonly ((segments: Segments, other: Segments) => readonly string[])[] = [
  (segments) => segments,
  (segments) => segments,
  // One character of one segment.
  (segments) => {
    const which = below(3)
    const segment = segments[which] ?? ''
    return segments.with(which, replaced(segment, below(segment.length), one(ALPHABET)))
  },
  (segments) => {
    const which = below(3)
    const segment = segments[which] ?? ''
    return segments.with(which, replaced(segment, below(segment.length), one(FOREIGN)))
  },
  // The last character, whose low bits are not all used.
  (segments) => {
    const which = below(3)
    const segment = segments[which] ?? ''
    return segments.with(which, replaced(segment, segment.length - 1, one(ALPHABET)))
  },
  // More, or less.
  (segments) => segments.with(below(3), one(['', 'A', 'AA', '=', '=='])),
  (segments) => {
    const which = below(3)
    return segments.with(which, (segments[which] ?? '') + one(['=', '==', 'A', '.', ' ', '\n']))
  },
  (segments) => {
    const which = below(3)
    return segments.with(which, (segments[which] ?? '').slice(below(3)))
  },
  (segments) => segments.slice(0, below(3)),
  (segments) => [...segments, one(['', 'A'])],
  // Parts of another token.
  (segments, other) => {
    const which = below(3)
    return segments.with(which, other[which] ?? '')
  },
  // Other words in the same places.
  ([header, ...rest]) => [
    reencoded(header, (json) =>
      json.replace('RS256', one(['none', 'HS256', 'rs256', 'PS256', ''])),
    ),
    ...rest,
  ],
  ([header, ...rest]) => [
    reencoded(header, (json) =>
      json.replace('{', one(['{"crit":["x"],', ' {', '[{', '{"alg":1,'])),
    ),
    ...rest,
  ],
  ([header, payload, signature]) => [
    header,
    reencoded(payload, (json) => json.replace(/\d(?=[,}])/, String(below(10)))),
    signature,
  ],
  ([header, payload, signature]) => [
    header,
    reencoded(payload, (json) => json.replace('{', one([' {', '[', '{"aud":"x",', '\uFEFF{']))),
    signature,
  ],
]

t.test(`${TOKENS.toLocaleString('en')} tokens: the same verdict as jose`, async (t) => {
  const jwks = createLocalJWKSet(issuer.jwks as JSONWebKeySet)
  const verifiers = [false, { max: 1000 }].map((tokenCache) =>
    createVerifier({
      audience,
      jwks: issuer.jwks,
      clock: () => NOW,
      tokenCache: tokenCache as false,
    }),
  )
  const joseAccepts = (token: string): Promise<boolean> =>
    jwtVerify(token, jwks, {
      algorithms: ['RS256'],
      audience,
      issuer: 'https://accounts.google.com',
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: 60,
      currentDate: NOW,
    }).then(
      () => true,
      () => false,
    )
  const signed = (await signedTokens()).map((token) => token.split('.') as Segments)
  const verdicts = { accepted: 0, refused: 0 }
  const disagreements: object[] = []
  for (let i = 0; i < TOKENS; i += 1) {
    const token = one(MUTATIONS)(one(signed), one(signed)).join('.')
    const expected = isStrictlySpelled(token) && (await joseAccepts(token))
    verdicts[expected ? 'accepted' : 'refused'] += 1
    for (const { verifyAnyCallerSync } of verifiers) {
      const verdict = verdictOf(verifyAnyCallerSync, token)
      if ((verdict === 'accepted') !== expected)
        disagreements.push({
          i,
          expected,
          verdict,
          token: token.replace(/./g, (c) => (c > '~' ? '?' : c)),
        })
    }
  }
  t.strictSame(disagreements.slice(0, 10), [])
  t.ok(verdicts.accepted > TOKENS / 20, `${verdicts.accepted} accepted`)
  t.ok(verdicts.refused > TOKENS / 2, `${verdicts.refused} refused`)
})

function isStrictlySpelled(token: string): boolean {
  const spelled = (segment: string) => Buffer.from(segment, 'base64url').toString('base64url')
  return token.split('.').every((segment) => spelled(segment) === segment)
}

function verdictOf(verifyAnyCallerSync: (token: string) => unknown, token: string): string {
  try {
    verifyAnyCallerSync(token)
    return 'accepted'
  } catch (error) {
    if (error instanceof IdTokenError) return error.code
    throw error
  }
}
