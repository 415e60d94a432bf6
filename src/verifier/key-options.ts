import type { VerificationKey } from '../keys/key-set.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { parseJwks } from '../keys/parse-jwks.ts'
import type { TokenProfile } from '../profiles/token-profile.ts'
import { parseObjectWith } from '../checks/injected.ts'
import { invalidOption, invalidSecretOption } from '../checks/invalid-option.ts'
import { parseSecureUrl } from '../checks/secure-url.ts'
import type { ClaimRules } from './validate-claims.ts'

/** A JWK set (RFC 7517 section 5) with public keys. */
export interface JwkSet {
  /** The JWKs, one for each key. */
  readonly keys: readonly object[]
}

/** How the tokens of one kind are verified. */
export interface TokenSettings {
  readonly profile: TokenProfile
  readonly rules: ClaimRules
  /** The static keys, or where to fetch them. */
  readonly keys: ReadonlyMap<string, VerificationKey> | string
  readonly keyStore: KeyStore | undefined
}

/** Whose keys they are, and how messages name their options. */
interface KeysOf {
  readonly profile: TokenProfile
  /** The hosts to which http is accepted. */
  readonly httpHosts: readonly string[]
  /** What stands before the names: `iap.`. */
  readonly prefix?: string
}

/**
 * The options `jwks` and `jwksUri`.
 *
 * @throws TypeError naming the option
 */
export function parseKeys(
  { jwks, jwksUri }: Readonly<Record<string, unknown>>,
  { profile, httpHosts, prefix = '' }: KeysOf,
): TokenSettings['keys'] {
  const name = `${prefix}jwksUri`
  if (jwks === undefined) {
    return parseSecureUrl(name, jwksUri === undefined ? profile.jwksUri : jwksUri, httpHosts)
  }
  if (jwksUri !== undefined) throw invalidOption(name, jwksUri, 'either jwks or jwksUri')
  try {
    return parseJwks(jwks, profile.algorithm).keys
  } catch (error) {
    // The value is not printed: the mistake may be that it holds a private key.
    throw invalidSecretOption(
      `${prefix}jwks`,
      `is refused: ${(error as Error).message}`,
      `a JWK set with public ${profile.algorithm.kty} keys`,
    )
  }
}

const KEY_STORE = 'an object with load() and save(keys)'

/** @throws TypeError naming the option */
export function parseKeyStore(name: string, value: unknown): KeyStore | undefined {
  parseObjectWith(name, value, 'load', KEY_STORE)
  return parseObjectWith(name, value, 'save', KEY_STORE) as KeyStore | undefined
}
