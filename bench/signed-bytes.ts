import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** What a signature is verified over. */
export interface SignedBytes {
  readonly signingInput: Buffer
  readonly signature: Buffer
}

/** Takes a token apart, as far as its signature is concerned. */
export function signedBytes(token: string): SignedBytes {
  const end = token.lastIndexOf('.')
  return {
    signingInput: Buffer.from(token.slice(0, end), 'latin1'),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}

/** The first key of a JWK set. */
export async function fetchedKey(jwksUri: string): Promise<{ kid: string; publicKey: KeyObject }> {
  const { keys } = (await (await fetch(jwksUri)).json()) as { keys: [JsonWebKey & { kid: string }] }
  return { kid: keys[0].kid, publicKey: createPublicKey({ key: keys[0], format: 'jwk' }) }
}
