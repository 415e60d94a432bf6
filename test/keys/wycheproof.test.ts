/** Wycheproof's vectors (fixtures/wycheproof/README.md) through our key import and signature check. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { SignatureAlgorithm } from '../../src/keys/signature-algorithms.ts'
import { ACCEPTED, ALGORITHMS, importKey, verifyJws } from '../helpers/verify-jws.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface SignatureVector extends Vector {
  /** Hex. */
  readonly msg: string
  readonly sig: string
}

interface JwsVector extends Vector {
  readonly jws: string
}

interface File<Group> {
  readonly numberOfTests: number
  readonly testGroups: readonly Group[]
}

interface RsaGroup {
  readonly publicKey: { readonly modulus: string; readonly publicExponent: string }
  readonly tests: readonly SignatureVector[]
}

interface EcGroup {
  /** The point as 04, x and y. */
  readonly publicKey: { readonly uncompressed: string }
  readonly tests: readonly SignatureVector[]
}

interface JwsGroup {
  /** A JWK; in the file about keys, a JWK set. */
  readonly public?: object
  /** The same with the private or symmetric key. */
  readonly private?: object
  readonly tests: readonly JwsVector[]
}

function vectors<Group>(name: string): File<Group> {
  const url = new URL(`../../fixtures/wycheproof/${name}_test.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as File<Group>
}

function base64url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url')
}

/** An integer without leading zeros, as a JWK has it (RFC 7518 section 2). */
function integer(hex: string): string {
  return base64url(hex.replace(/^(?:00)+/, ''))
}

/** Whether the signature is accepted, or why the key is not used. */
function decide(jwk: object, algorithm: SignatureAlgorithm, { msg, sig }: SignatureVector): string {
  const key = importKey({ ...jwk, kid: 'vector' }, algorithm)
  if (typeof key === 'string') return key
  // The check takes a signing input, in which each character is one byte.
  const signed = Buffer.from(msg, 'hex').toString('latin1')
  return algorithm.verify(key.publicKey, signed, base64url(sig)) ? ACCEPTED : 'refused'
}

/** The vectors whose decision is not the expected one. */
function mismatches<V extends Vector>(
  tests: readonly V[],
  decisionOf: (vector: V) => string,
  expected: (vector: V) => string,
): string[] {
  return tests
    .filter((vector) => decisionOf(vector) !== expected(vector))
    .map((vector) => `${vector.tcId} ${vector.comment}: ${decisionOf(vector)}`)
}

/**
 * FIPS 186-5 section 5.1: RSA exponents under 65537 are not used. The vectors with such a key are valid
 * by RFC 8017; Wycheproof says that libraries may refuse them.
 */
const SMALL_EXPONENT =
  'the JWK set holds no usable key; key vector: not an RSA key of 2048 bits or more, with exponent 65537 or more'

const RSA_FILES = [
  { bits: 2048, smallExponent: [258, 259] },
  { bits: 3072, smallExponent: [259] },
  { bits: 4096, smallExponent: [] },
  { bits: 8192, smallExponent: [] },
]

for (const { bits, smallExponent } of RSA_FILES) {
  t.test(`Wycheproof: RSASSA-PKCS1-v1_5 with SHA-256, ${bits} bits`, (t) => {
    const { numberOfTests, testGroups } = vectors<RsaGroup>(`rsa_signature_${bits}_sha256`)
    const wrong: string[] = []
    const refusedKeys: number[] = []
    let asserted = 0
    for (const { publicKey, tests } of testGroups) {
      const { modulus, publicExponent } = publicKey
      const jwk = { kty: 'RSA', n: integer(modulus), e: integer(publicExponent) }
      wrong.push(
        ...mismatches(
          tests,
          (vector) => decide(jwk, ALGORITHMS.RS256, vector),
          ({ tcId, flags, result }) => {
            asserted += 1
            if (flags.includes('SmallPublicKey')) {
              refusedKeys.push(tcId)
              return SMALL_EXPONENT
            }
            // Acceptable are only signatures with the flag MissingNull: the padding lacks the NULL of
            // the hash's parameters, which RFC 8017 section 9.2 asks for. OpenSSL refuses them too.
            return result === 'valid' ? ACCEPTED : 'refused'
          },
        ),
      )
      const acceptable = tests.filter(({ result }) => result === 'acceptable')
      for (const { flags } of acceptable) t.strictSame(flags, ['MissingNull'])
    }
    t.strictSame(wrong, [])
    t.strictSame(refusedKeys, smallExponent, 'vectors whose key is not used for its exponent')
    t.equal(asserted, numberOfTests)
    t.end()
  })
}

t.test('Wycheproof: ECDSA with P-256 and SHA-256, signatures as JWS has them', (t) => {
  const { numberOfTests, testGroups } = vectors<EcGroup>('ecdsa_secp256r1_sha256_p1363')
  const wrong: string[] = []
  let asserted = 0
  for (const { publicKey, tests } of testGroups) {
    const [x, y] = [publicKey.uncompressed.slice(2, 66), publicKey.uncompressed.slice(66)].map(
      base64url,
    )
    const jwk = { kty: 'EC', crv: 'P-256', x, y }
    wrong.push(
      ...mismatches(
        tests,
        (vector) => decide(jwk, ALGORITHMS.ES256, vector),
        ({ result }) => {
          asserted += 1
          return result === 'valid' ? ACCEPTED : 'refused'
        },
      ),
    )
  }
  t.strictSame(wrong, [])
  t.equal(asserted, numberOfTests)
  t.end()
})

/** What no kind of token here is signed with: valid vectors of them are refused (RFC 8725 section 3.1). */
const OTHER_ALGORITHMS: readonly unknown[] = [
  ...['HS256', 'HS384', 'HS512', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES512'],
]

/**
 * The weakness of a key that a broken generator made (CVE-2017-15361) is not looked for: the keys are
 * those that Google publishes, and SECURITY.md says that Google is trusted to keep them secret.
 */
const WEAKNESS_NOT_LOOKED_FOR = 'rejectsKeyWithRocaVulnerability'

function algOf(jws: string): unknown {
  const header = Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()
  return (JSON.parse(header) as { alg?: unknown }).alg
}

/** `accepted` if one of the two algorithms accepts it, otherwise why both refuse it. */
function decideJws(jws: string, jwks: object): string {
  const decisions = Object.values(ALGORITHMS).map((algorithm) => verifyJws(jws, jwks, algorithm))
  return decisions.includes(ACCEPTED) ? ACCEPTED : decisions.join(', ')
}

const JWS_FILES = [
  {
    name: 'json_web_signature',
    counts: { accepted: 10, otherAlgorithm: 36, weakKey: 0 },
    // One key is wrapped into a set, as an endpoint publishes it.
    jwksOf: (key: object) => ({ keys: [key] }),
  },
  {
    name: 'json_web_key',
    counts: { accepted: 1, otherAlgorithm: 4, weakKey: 1 },
    jwksOf: (keys: object) => keys,
  },
]

type Kind = 'accepted' | 'otherAlgorithm' | 'weakKey' | 'refused'

function kindOf({ comment, jws, result }: JwsVector): Kind {
  if (result === 'valid')
    return OTHER_ALGORITHMS.includes(algOf(jws)) ? 'otherAlgorithm' : 'accepted'
  return comment === WEAKNESS_NOT_LOOKED_FOR ? 'weakKey' : 'refused'
}

for (const { name, counts, jwksOf } of JWS_FILES) {
  t.test(`Wycheproof: ${name}`, (t) => {
    const { numberOfTests, testGroups } = vectors<JwsGroup>(name)
    const wrong: string[] = []
    const seen = { accepted: 0, otherAlgorithm: 0, weakKey: 0, refused: 0 }
    for (const group of testGroups) {
      const jwks = jwksOf(group.public ?? group.private ?? {})
      for (const vector of group.tests) {
        const kind = kindOf(vector)
        seen[kind] += 1
        const decision = decideJws(vector.jws, jwks)
        const isExpected = (decision === ACCEPTED) === (kind === 'accepted' || kind === 'weakKey')
        if (!isExpected) wrong.push(`${vector.tcId} ${vector.comment}: ${decision}`)
      }
    }
    t.strictSame(wrong, [])
    const { refused, ...others } = seen
    t.strictSame(others, counts)
    t.equal(
      Object.values(others).reduce((sum, count) => sum + count, refused),
      numberOfTests,
    )
    t.end()
  })
}
