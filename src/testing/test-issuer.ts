import { randomBytes, type webcrypto } from 'node:crypto'
import { base64url, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { googleClaims } from './google-claims.ts'

/** What a token says. Everything left out is as Google's own tokens have it. */
export interface TestIdToken {
  /** `aud`: the service that the token is for. */
  audience: string
  /**
   * The service account's email, which comes with `email_verified: true`. Default: neither claim,
   * as the metadata server gives tokens without `format=full`.
   */
  email?: string | undefined
  /** `sub` and `azp`: the account's unique id. Default: 21 digits that follow from the email. */
  subject?: string | undefined
  /**
   * Seconds from now to `exp`. Default 3600. For an expired token, a negative number: past the
   * verifier's `clockTolerance`, which is 60 by default.
   */
  expiresIn?: number | undefined
  /** Overrides claims; with `undefined`, removes them. */
  claims?: Readonly<Record<string, unknown>> | undefined
  /** Overrides members of the JOSE header; with `undefined`, removes them. */
  header?: Readonly<Record<string, unknown>> | undefined
  /** A private JWK to sign with instead of the issuer's newest; the `kid` stays the issuer's. */
  key?: JWK | undefined
}

/** What a test issuer is made of. */
export interface TestIssuerOptions {
  /** `iss`. Default `https://accounts.google.com`. */
  issuer?: string | undefined
  /** The time of its tokens. Default: the system's. */
  clock?: (() => Date) | undefined
  /** The private key to begin with, a JWK with a `kid`. Default: one that is made now. */
  key?: JWK | undefined
}

/** Signs Google-shaped ID tokens with keys of its own. No network. */
export interface TestIssuer {
  readonly issuer: string
  /** The public keys as of now, for the option `jwks`; another object after `rotateKeys`. */
  readonly jwks: { readonly keys: readonly JWK[] }
  /** The private key that signs now, for the `key` of another issuer's token. */
  readonly key: JWK
  /** A signed token. Nothing is checked: every bad token can be made. */
  readonly idToken: (token: TestIdToken) => Promise<string>
  /**
   * Signs with a new key from now on.
   *
   * @param options - `keepOld: false` withdraws the key so far; by default it stays published
   * beside the new one, as Google's do
   */
  readonly rotateKeys: (options?: { keepOld?: boolean }) => Promise<void>
}

/**
 * Makes an issuer of test tokens, with a 2048-bit RSA key of its own.
 *
 * The header `alg` may lie: the signature is RS256 whatever it says, except that an unsecured token
 * (`alg: 'none'`) has an empty one.
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { issuer = 'https://accounts.google.com', clock = () => new Date() } = options
  let key = options.key ?? (await newKey())
  let jwks = { keys: [publicHalf(key)] }
  return {
    issuer,
    get jwks() {
      return jwks
    },
    get key() {
      return key
    },
    idToken: ({ claims, header, key: otherKey, email, subject, expiresIn = 3600, audience }) => {
      const now = Math.floor(clock().getTime() / 1000)
      const google = googleClaims({ issuer, audience, email, subject, now, expiresIn })
      return signedToken(
        { alg: 'RS256', kid: key.kid, typ: 'JWT', ...header },
        { ...google, ...claims },
        otherKey ?? key,
      )
    },
    rotateKeys: async ({ keepOld = true } = {}) => {
      const old = publicHalf(key)
      key = await newKey()
      jwks = { keys: keepOld ? [publicHalf(key), old] : [publicHalf(key)] }
    },
  }
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: randomBytes(20).toString('hex') }
}

/** A key as Google publishes it. */
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
