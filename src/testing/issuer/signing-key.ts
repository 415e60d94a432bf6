import { randomBytes, type webcrypto } from 'node:crypto'
import { base64url, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

/** What keys of one kind are for, and how they sign. */
export interface KeyKind {
  readonly alg: 'RS256' | 'ES256'
  /** The members of the public half. */
  readonly members: readonly (keyof JWK)[]
  readonly sign: webcrypto.AlgorithmIdentifier | webcrypto.EcdsaParams
}

/** The keys of ID tokens. */
export const RSA_KEYS: KeyKind = {
  alg: 'RS256',
  members: ['kid', 'n', 'e', 'kty'],
  sign: 'RSASSA-PKCS1-v1_5',
}

/** The keys of IAP's assertions. */
export const EC_KEYS: KeyKind = {
  alg: 'ES256',
  members: ['kid', 'crv', 'x', 'y', 'kty'],
  sign: { name: 'ECDSA', hash: 'SHA-256' },
}

/** Its `kid` tells a verifier with Google's keys that the token is none of Google's. */
export async function newKey({ alg }: KeyKind): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: `test-${randomBytes(20).toString('hex')}` }
}

/** A key as Google publishes it. */
export function publicHalf(key: JWK, { alg, members }: KeyKind): JWK {
  const published = Object.fromEntries(members.map((name) => [name, key[name]]))
  return { ...published, alg, use: 'sig' }
}

/** A signed token; an unsecured one (`alg: 'none'`) has an empty signature. */
export async function signedToken(
  { header, claims }: { readonly header: object; readonly claims: object },
  key: JWK,
  { alg, sign }: KeyKind,
): Promise<string> {
  const input = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.')
  if ('alg' in header && header.alg === 'none') return `${input}.`
  const privateKey = (await importJWK(key, alg)) as webcrypto.CryptoKey
  const signature = await crypto.subtle.sign(sign, privateKey, new TextEncoder().encode(input))
  return `${input}.${base64url.encode(new Uint8Array(signature))}`
}
