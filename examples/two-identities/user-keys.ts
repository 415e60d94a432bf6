import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'

/** Who signs the tokens of users: the application itself, and not Google. */
export const USER_ISSUER = 'https://shop.example'

/** A pair of keys in PEM. */
export interface UserKeys {
  publicKey: string
  privateKey: string
}

/** In production they come from where the application keeps its secrets. */
export function createUserKeys(): UserKeys {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

/** The JWT that a user has after signing in. */
export function signUser({ privateKey }: UserKeys, user: string, expires = '5m'): Promise<string> {
  return new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(USER_ISSUER)
    .setExpirationTime(expires)
    .sign(createPrivateKey(privateKey))
}
