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

/** One for all: making buffers for each token would cost as much as all else but the signature. */
const signed = Buffer.allocUnsafeSlow(8192)

/**
 * Whether the signature over the signing input was made with the private half of the key.
 *
 * @param signingInput - the first two segments with the dot (RFC 7515 section 5.1)
 * @param signature - the third segment
 */
export function verifyRsaSha256(key: KeyObject, signingInput: string, signature: string): boolean {
  // Strict base64url is ASCII, where a character is a byte.
  const inputEnd = signed.write(signingInput, 'latin1')
  const signatureEnd = inputEnd + signed.write(signature, inputEnd, 'base64url')
  const isGood =
    inputEnd === signingInput.length &&
    verify('sha256', signed.subarray(0, inputEnd), key, signed.subarray(inputEnd, signatureEnd))
  // What stays here between requests is no token: it lacks what makes it one.
  signed.fill(0, inputEnd, signatureEnd)
  return isGood
}
