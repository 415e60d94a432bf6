import { randomBytes, type webcrypto } from 'node:crypto'
import { base64url, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { parseNames } from '../../checks/invalid-option.ts'
import { googleClaims } from './google-claims.ts'
import { parseBoolean } from '../../checks/parse-options.ts'
import {
  parseTestIdToken,
  parseTestIssuerOptions,
  type TestIdToken,
  type TestIssuerOptions,
} from './test-issuer-options.ts'

/** Signs Google-shaped ID tokens with keys of its own. No network. */
export interface TestIssuer {
  /** The `iss` of its tokens, for the option `issuer`. */
  readonly issuer: string
  /** The current public keys, for the option `jwks`; a new object after `rotateKeys`. */
  readonly jwks: {
    /** First the JWK of the key that signs now, then older ones that are still published. */
    readonly keys: readonly JWK[]
  }
  /** The private key that signs now, for the `key` of another issuer's token. */
  readonly key: JWK
  /**
   * A signed token. `claims` and `header` are not checked, so that you can make every bad token.
   */
  readonly idToken: (token: TestIdToken) => Promise<string>
  /**
   * Signs with a new key from now on.
   *
   * @param options - `keepOld: false` withdraws the old key; by default it stays published beside
   * the new one, as at Google
   */
  readonly rotateKeys: (options?: { keepOld?: boolean }) => Promise<void>
}

/**
 * Makes an issuer of test tokens, with a 2048-bit RSA key of its own.
 *
 * The header `alg` may be wrong: the signature is always RS256, except that an unsecured token
 * (`alg: 'none'`) has an empty one. Every new `kid` begins with `test-`.
 *
 * @throws TypeError for a wrong option
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { issuer, clock, key: firstKey } = parseTestIssuerOptions(options)
  let key = firstKey ?? (await newKey())
  let jwks = { keys: [publicHalf(key)] }
  return {
    issuer,
    get jwks() {
      return jwks
    },
    get key() {
      return key
    },
    idToken: async (token) => {
      const { claims, header, key: otherKey, ...said } = parseTestIdToken(token)
      const { email, subject, expiresIn = 3600, audience } = said
      const now = Math.floor(clock().getTime() / 1000)
      const google = googleClaims({ issuer, audience, email, subject, now, expiresIn })
      return signedToken(
        { alg: 'RS256', kid: key.kid, typ: 'JWT', ...header },
        { ...google, ...claims },
        otherKey ?? key,
      )
    },
    rotateKeys: async (options = {}) => {
      const { keepOld = true } = parseNames('options', options, ['keepOld'])
      const stays = parseBoolean('keepOld', keepOld)
      const old = publicHalf(key)
      key = await newKey()
      jwks = { keys: stays ? [publicHalf(key), old] : [publicHalf(key)] }
    },
  }
}

/** The `kid` shows a verifier with Google's keys that the token is not from Google. */
async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: `test-${randomBytes(20).toString('hex')}` }
}

/** The public key, as Google publishes its keys. */
function publicHalf({ kid, n, e }: JWK): JWK {
  return { kid, n, e, kty: 'RSA', alg: 'RS256', use: 'sig' } as JWK
}

async function signedToken(header: object, claims: object, key: JWK): Promise<string> {
  const input = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.')
  if ('alg' in header && header.alg === 'none') return `${input}.`
  const privateKey = (await importJWK(key, 'RS256')) as webcrypto.CryptoKey
  const signature = await crypto.subtle.sign(
    'RSASSA-PKCS1-v1_5',
    privateKey,
    new TextEncoder().encode(input),
  )
  return `${input}.${base64url.encode(new Uint8Array(signature))}`
}
