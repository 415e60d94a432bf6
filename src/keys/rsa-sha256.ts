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

/**
 * Whether the signature over the signing input was made with the private half of the key.
 *
 * @param signingInput - the first two segments with the dot (RFC 7515 section 5.1)
 * @param signature - the third segment
 */
export function verifyRsaSha256(key: KeyObject, signingInput: string, signature: string): boolean {
  // Strict base64url is ASCII, where a character is a byte.
  const signed = signingInputBytes.of(signingInput, 'latin1')
  const isGood =
    signed.length === signingInput.length &&
    verify('sha256', signed, key, signatureBytes.of(signature, 'base64url'))
  // What stays here between requests is no token: it lacks what makes it one.
  signatureBytes.wipe()
  return isGood
}

/**
 * Bytes of one text after the other, in one place: making buffers for each token would cost as much
 * as all else but the signature. Most texts are as long as the one before.
 */
class ReusedBytes {
  readonly #all = Buffer.allocUnsafeSlow(8192)
  #used = this.#all

  of(text: string, encoding: 'latin1' | 'base64url'): Buffer {
    const length = this.#all.write(text, encoding)
    if (this.#used.length !== length) this.#used = this.#all.subarray(0, length)
    return this.#used
  }

  wipe(): void {
    this.#used.fill(0)
  }
}

const signingInputBytes = new ReusedBytes()
const signatureBytes = new ReusedBytes()
