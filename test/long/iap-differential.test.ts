/**
 * Assertions of IAP, good or broken in any way, get the same outcome from this library and from jose. Most of what is broken here is the signature, which ES256 writes in its own way.
 */
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import {
  assertion,
  ecdsa,
  IAP_AUDIENCE,
  inDer,
  ORDER,
  rawSignature,
  type Signature,
} from '../../fixtures/assertions.ts'
import { testOnlyKeys } from '../../fixtures/issuers.ts'
import { NOW, NOW_SECONDS } from '../../fixtures/row-spec.ts'
import { iapJwks, jwks } from '../../fixtures/rows.ts'
import type { IdTokenError } from '../../src/index.ts'
import { createVerifier } from '../../src/index.ts'

const ASSERTIONS = 10_000
const AT = new Date(NOW)
const HEADER = 'x-goog-iap-jwt-assertion'
const key = testOnlyKeys.testOnlyIap

/** The same at each run, so that a failure can be found again. */
const SEED = 20_261_124

/** What is left to chance: fast-check looks for the least of it with which a failure is one still. */
interface Chance {
  readonly below: (limit: number) => number
  readonly one: <Value>(values: readonly Value[]) => Value
}

/** The most numbers that one assertion takes. */
const NUMBERS = 8

function chanceOf(numbers: readonly number[]): Chance {
  const left = numbers.values()
  const below = (limit: number): number => Number(left.next().value) % limit
  return { below, one: (values) => values[below(values.length)] as never }
}

/** Ways to write, or to spoil, the two halves of a signature. */
const signatures = ({ below, one }: Chance): readonly ((halves: Signature) => Buffer)[] => [
  rawSignature,
  rawSignature,
  rawSignature,
  ([r, s]) => rawSignature([r, ORDER - s]),
  ([r, s]) => rawSignature([ORDER - r, s]),
  ([r, s]) => rawSignature([s, r]),
  ([, s]) => rawSignature([one([0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]), s]),
  ([r]) => rawSignature([r, one([0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n])]),
  ([r, s]) => rawSignature([r ^ (1n << BigInt(below(256))), s]),
  ([r, s]) => rawSignature([r, s ^ (1n << BigInt(below(256)))]),
  (halves) => inDer(rawSignature(halves)),
  (halves) => rawSignature(halves).subarray(0, below(64)),
  (halves) => Buffer.concat([rawSignature(halves), Buffer.alloc(1 + below(64), below(2))]),
  (halves) => Buffer.concat([Buffer.alloc(1 + below(64)), rawSignature(halves)]),
  () => Buffer.alloc(one([1, 63, 64, 65, 128]), below(256)),
]

/** What differs in a claim or in the header; nothing, most times. */
const SPECIALS: readonly { readonly header?: object; readonly claims?: object }[] = [
  ...Array.from({ length: 12 }, (_, i) => ({ claims: { n: 'é€𝄞'.repeat(i) } })),
  ...Array.from({ length: 8 }, (_, i) => ({
    claims: { iat: NOW_SECONDS - 660 + 10 * i, exp: NOW_SECONDS - 60 + 10 * i },
  })),
  { claims: { aud: `${IAP_AUDIENCE}0` } },
  { claims: { iss: 'https://accounts.google.com' } },
  { claims: { sub: undefined } },
  { claims: { exp: undefined } },
  { header: { alg: 'ES384' } },
  { header: { alg: 'RS256' } },
  { header: { alg: 'none' } },
  { header: { kid: testOnlyKeys.testOnlyIapBefore.kid } },
  { header: { kid: testOnlyKeys.testOnlyIapForeign.kid } },
  { header: { kid: 'f9R3yg' } },
  { header: { crit: ['exp'] } },
]

/** Ways to spoil the spelling of what was signed. */
const spellings = ({ below, one }: Chance): readonly ((token: string) => string)[] => [
  (token) => token,
  (token) => token,
  (token) => token,
  (token) => token,
  (token) => replaced(token, below(token.length), one(['A', 'b', '0', '-', '_', '+', '/', '='])),
  (token) => replaced(token, token.length - 1, one(['A', 'Q', 'g', 'w', '='])),
  (token) => `${token}${one(['=', '==', 'A', '.', '\n'])}`,
  (token) => token.slice(0, -1 - below(8)),
]

function replaced(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1)
}

t.test(`${ASSERTIONS.toLocaleString('en')} assertions: the same outcome as jose`, async (t) => {
  const keySet = createLocalJWKSet(iapJwks as JSONWebKeySet)
  const iap = { audience: IAP_AUDIENCE, jwks: iapJwks }
  const verifiers = [false as const, { max: 1000 }].map((tokenCache) =>
    createVerifier({
      audience: 'https://user-profiles-abc123-uc.a.run.app',
      jwks,
      iap,
      tokenCache,
      clock: () => AT,
      allowedCallers: [{ email: 'dana@example.com' }],
    }),
  )
  const joseAccepts = (token: string): Promise<boolean> =>
    jwtVerify(token, keySet, {
      algorithms: ['ES256'],
      audience: IAP_AUDIENCE,
      issuer: 'https://cloud.google.com/iap',
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: 30,
      currentDate: AT,
    }).then(
      () => true,
      () => false,
    )
  const signed = SPECIALS.map((special) => {
    const input = assertion({ ...special, signature: () => Buffer.alloc(0) }).slice(0, -1)
    return { input, halves: ecdsa(key, input) }
  })
  const counts = { accepted: 0, refused: 0 }
  const numbers = fc.array(fc.nat(), { minLength: NUMBERS, maxLength: NUMBERS })
  const property = fc.asyncProperty(numbers, async (numbers) => {
    const chance = chanceOf(numbers)
    const { input, halves } = chance.one(signed)
    const signature = chance.one(signatures(chance))(halves).toString('base64url')
    const token = chance.one(spellings(chance))(`${input}.${signature}`)
    const expected = isStrictlySpelled(token) && (await joseAccepts(token))
    counts[expected ? 'accepted' : 'refused'] += 1
    for (const verifier of verifiers) {
      const outcome = await verifier.authenticate({ headers: { [HEADER]: token } }).then(
        () => 'accepted',
        (error: unknown) => (error as IdTokenError).code,
      )
      if ((outcome === 'accepted') !== expected) throw new Error(`${outcome}: ${token}`)
    }
  })
  await fc.assert(property, { seed: SEED, numRuns: ASSERTIONS, includeErrorInReport: true })
  t.ok(counts.accepted > ASSERTIONS / 20, `${counts.accepted} accepted`)
  t.ok(counts.refused > ASSERTIONS / 2, `${counts.refused} refused`)
})

/** Our rule alone: a token has one spelling (RFC 7515 section 2). */
function isStrictlySpelled(token: string): boolean {
  const spelled = (segment: string) => Buffer.from(segment, 'base64url').toString('base64url')
  return token.split('.').every((segment) => spelled(segment) === segment)
}
