/**
 * RSASSA-PKCS1-v1_5 with SHA-256, the RS256 of RFC 7518 section 3.3: the only cryptography here.
 *
 * Node's own `verify` on an imported key is synchronous, so that a request is decided without a
 * promise, and costs the process less than half of what WebCrypto does.
 */
import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'

/** Imports the public key of a JWK; throws where it is none. */
export function importRsaKey(jwk: JsonWebKey): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** Whether the signature over the signing input was made with the private half of the key. */
export function verifyRsaSha256(key: KeyObject, signingInput: Buffer, signature: Buffer): boolean {
  return verify('sha256', signingInput, key, signature)
}
