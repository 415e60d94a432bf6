import type { VerificationKey } from '../../src/keys/key-set.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { ES256, RS256, type SignatureAlgorithm } from '../../src/keys/signature-algorithms.ts'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import { parseToken } from '../../src/token/parse-token.ts'

/** What becomes of a signature: `accepted`, a code of the outcome table, or why no key is usable. */
export type Decision = string

export const ACCEPTED: Decision = 'accepted'

/** The algorithms of the profiles: of ID tokens, and of assertions of IAP. */
export const ALGORITHMS = { RS256, ES256 }

/** The key with which this package verifies, or why it does not use it. */
export function importKey(jwk: object, algorithm: SignatureAlgorithm): VerificationKey | string {
  try {
    const [key] = parseJwks({ keys: [jwk] }, algorithm).keys.values()
    return key as VerificationKey
  } catch (error) {
    return (error as Error).message
  }
}

/** Any claims that `parseToken` accepts: the payloads of others' vectors are no claims. */
const CLAIMS = Buffer.from(
  JSON.stringify({ iss: 'https://issuer', aud: 'https://audience', sub: '1', iat: 0, exp: 1 }),
).toString('base64url')

/**
 * Decides about a JWS in compact serialization as the verifier does, up to its signature: shape,
 * header and algorithm by `parseToken`, which sees other claims; key and signature over the payload
 * that is there.
 */
export function verifyJws(jws: string, jwks: object, algorithm: SignatureAlgorithm): Decision {
  const segments = jws.split('.')
  segments[1] = CLAIMS
  const parsed = parseToken(segments.join('.'), { source: 'id-token', algorithm, subject: null })
  if (parsed instanceof IdTokenError) return parsed.code
  let key: VerificationKey | undefined
  try {
    key = parseJwks(jwks, algorithm).keys.get(parsed.kid)
  } catch (error) {
    return (error as Error).message
  }
  if (key === undefined) return 'ID_TOKEN_KEY_UNKNOWN'
  const signingInput = jws.slice(0, jws.lastIndexOf('.'))
  return algorithm.verify(key.publicKey, signingInput, parsed.signature)
    ? ACCEPTED
    : 'ID_TOKEN_SIGNATURE_INVALID'
}
