import type { JWK } from 'jose'
import { parseNames } from '../../checks/invalid-option.ts'
import { googleClaims } from './google-claims.ts'
import { IAP_LIFETIME, iapClaims } from './iap-claims.ts'
import { EC_KEYS, newKey, publicHalf, RSA_KEYS, signedToken, type KeyKind } from './signing-key.ts'
import { parseBoolean } from '../../checks/parse-options.ts'
import {
  parseTestIapAssertion,
  parseTestIdToken,
  parseTestIssuerOptions,
  type TestIapAssertion,
  type TestIdToken,
  type TestIssuerOptions,
} from './test-issuer-options.ts'

/** Signs Google-shaped ID tokens, and assertions of IAP, with keys of its own. No network. */
export interface TestIssuer {
  /** The `iss` of its tokens, for the option `issuer`. */
  readonly issuer: string
  /** The current public keys, for the option `jwks`; a new object after `rotateKeys`. */
  readonly jwks: {
    /** First the JWK of the key that signs now, then the one before it, if it is still published. */
    readonly keys: readonly JWK[]
  }
  /** The current public keys for assertions of IAP, for the option `iap.jwks`. */
  readonly iapJwks: {
    /** First the JWK of the key that signs now, then the one before it, if it is still published. */
    readonly keys: readonly JWK[]
  }
  /** The private key that signs now, for the `key` of another issuer's token. */
  readonly key: JWK
  /**
   * A signed token. `claims` and `header` are not checked, so that you can make every bad token.
   */
  readonly idToken: (token: TestIdToken) => Promise<string>
  /** A signed assertion of Identity-Aware Proxy, for the header `X-Goog-IAP-JWT-Assertion`. */
  readonly iapAssertion: (assertion: TestIapAssertion) => Promise<string>
  /**
   * Signs with new keys from now on.
   *
   * @param options - `keepOld: false` withdraws the old keys; by default they stay published until
   * the next rotation, as at Google
   */
  readonly rotateKeys: (options?: { keepOld?: boolean }) => Promise<void>
}

/**
 * Makes an issuer of test tokens, with a 2048-bit RSA key and a P-256 key of its own.
 *
 * The header `alg` may be wrong: the signature is always RS256, and ES256 for an assertion, except
 * that an unsecured token (`alg: 'none'`) has an empty one. Every new `kid` begins with `test-`,
 * which shows a verifier with Google's keys that the token is not from Google.
 *
 * @throws TypeError for a wrong option
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { issuer, clock, key: firstKey } = parseTestIssuerOptions(options)
  const idTokens = new PublishedKeys(RSA_KEYS, firstKey ?? (await newKey(RSA_KEYS)))
  const assertions = new PublishedKeys(EC_KEYS, await newKey(EC_KEYS))
  const now = (): number => Math.floor(clock().getTime() / 1000)
  return {
    issuer,
    get jwks() {
      return idTokens.jwks
    },
    get iapJwks() {
      return assertions.jwks
    },
    get key() {
      return idTokens.newest
    },
    idToken: async (token) => {
      const { claims, header, key, ...said } = parseTestIdToken(token)
      const { email, subject, expiresIn = 3600, audience } = said
      const google = googleClaims({ issuer, audience, email, subject, now: now(), expiresIn })
      return idTokens.signed(header, { ...google, ...claims }, key)
    },
    iapAssertion: async (assertion) => {
      const { claims, header, key, ...said } = parseTestIapAssertion(assertion)
      const { email, subject, expiresIn = IAP_LIFETIME, audience } = said
      const iap = iapClaims({ audience, email, subject, now: now(), expiresIn })
      return assertions.signed(header, { ...iap, ...claims }, key)
    },
    rotateKeys: async (options = {}) => {
      const { keepOld = true } = parseNames('options', options, ['keepOld'])
      const stays = parseBoolean('keepOld', keepOld)
      await Promise.all([idTokens.rotate(stays), assertions.rotate(stays)])
    },
  }
}

/** The keys of one kind: the one that signs, and those that are published. */
class PublishedKeys {
  readonly #kind: KeyKind
  newest: JWK
  jwks: { readonly keys: readonly JWK[] }

  constructor(kind: KeyKind, first: JWK) {
    this.#kind = kind
    this.newest = first
    this.jwks = { keys: [publicHalf(first, kind)] }
  }

  signed(header: object | undefined, claims: object, key: JWK = this.newest): Promise<string> {
    const { alg } = this.#kind
    const full = { alg, kid: this.newest.kid, typ: 'JWT', ...header }
    return signedToken({ header: full, claims }, key, this.#kind)
  }

  async rotate(keepsOld: boolean): Promise<void> {
    const old = publicHalf(this.newest, this.#kind)
    this.newest = await newKey(this.#kind)
    const published = publicHalf(this.newest, this.#kind)
    this.jwks = { keys: keepsOld ? [published, old] : [published] }
  }
}
