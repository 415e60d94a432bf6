/** The examples of RFC 7520 (fixtures/rfc7520/README.md) through our key import and signature check. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { ACCEPTED, ALGORITHMS, importKey, verifyJws } from '../helpers/verify-jws.ts'

const folder = new URL('../../fixtures/rfc7520/', import.meta.url)

function example(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
}

interface Jwk {
  readonly kty: string
  readonly kid: string
  readonly n?: string
  readonly e?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}

/** The public half, as an endpoint publishes it. */
function published({ kty, kid, n, e, crv, x, y }: Jwk): Jwk {
  return JSON.parse(JSON.stringify({ kty, kid, n, e, crv, x, y })) as Jwk
}

t.test('RFC 7520 section 3: only the public RSA key is imported', (t) => {
  const NO_USABLE = 'the JWK set holds no usable key; key bilbo.baggins@hobbiton.example: '
  const SECRET = 'the JWK set holds a private or symmetric key'
  const decided = readdirSync(folder)
    .filter((name) => name.startsWith('3_'))
    .sort()
    .map((name) => {
      const decisions = Object.values(ALGORITHMS).map((algorithm) => {
        const key = importKey(example(name) as Jwk, algorithm)
        return typeof key === 'string' ? key : `imported for ${key.algorithm.alg}`
      })
      return [name, ...decisions]
    })
  t.strictSame(decided, [
    // P-521
    [
      '3_1.ec_public_key.json',
      `${NO_USABLE}kty is not RSA`,
      `${NO_USABLE}not an EC key on the curve P-256`,
    ],
    ['3_2.ec_private_key.json', SECRET, SECRET],
    ['3_3.rsa_public_key.json', 'imported for RS256', `${NO_USABLE}kty is not EC`],
    ['3_4.rsa_private_key.json', SECRET, SECRET],
    ['3_5.symmetric_key_mac_computation.json', SECRET, SECRET],
    ['3_6.symmetric_key_encryption.json', SECRET, SECRET],
  ])
  t.end()
})

interface Signature {
  readonly input: { readonly key: Jwk; readonly alg: string }
  readonly output: { readonly compact: string }
}

t.test('RFC 7520 section 4: only the RS256 signature is accepted', (t) => {
  const decided = readdirSync(folder)
    .filter((name) => /^4_[1-4]/.test(name))
    .sort()
    .map((name) => {
      const { input, output } = example(name) as Signature
      const jwks = { keys: [published(input.key)] }
      const decisions = Object.values(ALGORITHMS).map((alg) => verifyJws(output.compact, jwks, alg))
      return [input.alg, ...decisions]
    })
  const other = 'ID_TOKEN_ALGORITHM_NOT_ALLOWED'
  t.strictSame(decided, [
    ['RS256', ACCEPTED, other],
    ['PS384', other, other],
    ['ES512', other, other],
    ['HS256', other, other],
  ])
  t.end()
})

interface Signatures {
  readonly input: { readonly key: readonly [Jwk, Jwk, Jwk] }
  readonly signing: readonly { readonly 'sig-input': string; readonly sig: string }[]
}

t.test('RFC 7520 section 4.8: the first of three signatures is verified, no other', (t) => {
  const { input, signing } = example('4_8.multiple_signatures.json') as Signatures
  const key = importKey(published(input.key[0]), ALGORITHMS.RS256)
  if (typeof key === 'string') throw new Error(key)
  const decided = signing.map((one) =>
    key.algorithm.verify(key.publicKey, one['sig-input'], one.sig),
  )
  t.strictSame(decided, [true, false, false])
  t.end()
})

t.test('one changed character of RFC 7520 section 4.1 is seen', (t) => {
  const { input, output } = example('4_1.rsa_v15_signature.json') as Signature
  const jwks = { keys: [published(input.key)] }
  const changed = output.compact.replace('.SXT', '.SXU')
  t.equal(verifyJws(changed, jwks, ALGORITHMS.RS256), 'ID_TOKEN_SIGNATURE_INVALID')
  t.end()
})
