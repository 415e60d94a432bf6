import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** The first key of a JWK set. */
export async function fetchedKey(jwksUri: string): Promise<{ kid: string; publicKey: KeyObject }> {
  const { keys } = (await (await fetch(jwksUri)).json()) as { keys: [JsonWebKey & { kid: string }] }
  return { kid: keys[0].kid, publicKey: createPublicKey({ key: keys[0], format: 'jwk' }) }
}
