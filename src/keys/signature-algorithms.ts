/**
 * The signature algorithms that tokens may be signed with, as data: a kind of token names one.
 *
 * Node's own `verify` with an imported key is synchronous, so a request is verified without a
 * promise. It costs the process less than half of what WebCrypto costs.
 */
import { createPublicKey, verify, type AsymmetricKeyDetails, type KeyObject } from 'node:crypto'
import { decodeSignature, forgetSignature } from '../token/base64url.ts'
import { ReusedBytes } from '../token/reused-bytes.ts'

/** One algorithm, and what a key for it must be. */
export interface SignatureAlgorithm {
  /** The `alg` of the token's header and of the JWK (RFC 7518 section 3.1). */
  readonly alg: string
  /** The `kty` of the JWK (RFC 7518 section 6.1). */
  readonly kty: string
  /** The members of the JWK that hold the public key. */
  readonly members: readonly string[]
  /** What a key must be, for messages. */
  readonly requirement: string
  /**
   * Imports a public key; `null` if it does not meet the requirement.
   *
   * @throws Error if the members are no key
   */
  readonly importKey: (members: Readonly<Record<string, string>>) => KeyObject | null
  /**
   * Whether the signature over the signing input was made with the private half of the key.
   *
   * @param signingInput - the first two segments with the dot (RFC 7515 section 5.1)
   * @param signature - the third segment
   */
  readonly verify: (key: KeyObject, signingInput: string, signature: string) => boolean
}

const SHORTEST_MODULUS = 2048
/**
 * FIPS 186-5 section 5.1: with a very small exponent, signatures can be forged without the private
 * key.
 */
const SMALLEST_EXPONENT = 65_537n

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3). */
export const RS256: SignatureAlgorithm = {
  alg: 'RS256',
  kty: 'RSA',
  members: ['n', 'e'],
  requirement: `an RSA key of ${SHORTEST_MODULUS} bits or more, with exponent ${SMALLEST_EXPONENT} or more`,
  importKey: ({ n = '', e = '' }) => {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
    const { modulusLength, publicExponent } = key.asymmetricKeyDetails as RsaKeyDetails
    return modulusLength < SHORTEST_MODULUS || publicExponent < SMALLEST_EXPONENT ? null : key
  },
  verify: verifying((key, signed, signature) => verify('sha256', signed, key, signature)),
}

/** One coordinate of P-256, and one half of a signature. */
const P256_BYTES = 32

/** ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4). */
export const ES256: SignatureAlgorithm = {
  alg: 'ES256',
  kty: 'EC',
  members: ['crv', 'x', 'y'],
  requirement: 'an EC key on the curve P-256',
  importKey: ({ crv = '', x = '', y = '' }) => {
    if (crv !== 'P-256') return null
    try {
      return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' })
    } catch {
      // No point of the curve.
      return null
    }
  },
  verify: verifying(
    (key, signed, signature) =>
      // Section 3.4, first step of the validation: R and S, 32 bytes each, no more. OpenSSL checks
      // that both are from 1 to the order of the curve minus 1.
      signature.length === 2 * P256_BYTES &&
      verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
  ),
}

/** Every RSA key has them. */
type RsaKeyDetails = Required<Pick<AsymmetricKeyDetails, 'modulusLength' | 'publicExponent'>>

type Check = (key: KeyObject, signed: Uint8Array, signature: Uint8Array) => boolean

/** A signing input stays here until the next one comes. Without the signature it is no token. */
const signingInputBytes = new ReusedBytes()

/** Decodes what a check needs, and forgets the signature afterwards. */
function verifying(check: Check): SignatureAlgorithm['verify'] {
  return (key, signingInput, signature) => {
    // Strict base64url is ASCII, so each character is one byte.
    const signed = signingInputBytes.of(signingInput, 'latin1')
    const bytes = decodeSignature(signature)
    const isGood =
      signed.length === signingInput.length && bytes !== null && check(key, signed, bytes)
    forgetSignature()
    return isGood
  }
}
