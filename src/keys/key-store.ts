import { within } from '../pacing/within.ts'
import type { VerificationKey } from './key-set.ts'
import { boundedLifetime } from './freshness.ts'
import { parseJwks } from './parse-jwks.ts'
import type { SignatureAlgorithm } from './signature-algorithms.ts'

/** Keys as they are kept across restarts: plain data, all of it public. */
export interface StoredKeys {
  /** A JWK set (RFC 7517 section 5). */
  readonly jwks: {
    /** The public JWKs, one for each key. */
    readonly keys: readonly object[]
  }
  /** When they were fetched: milliseconds since the epoch. */
  readonly fetchedAt: number
  /** For how many seconds they were fresh after that. */
  readonly lifetimeSeconds: number
}

/** Keeps the last good keys outside the process, so that a cold instance can start in an outage. */
export interface KeyStore {
  /** What was saved last, or `null`. It is validated like an answer of the key endpoint. */
  readonly load: () => Promise<StoredKeys | null>
  /** Called after each good answer. A failure is logged and has no other effect. */
  readonly save: (keys: StoredKeys) => Promise<void>
}

/** A set of keys with its age. */
export interface AgedKeys {
  readonly keys: ReadonlyMap<string, VerificationKey>
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number
  /** Milliseconds from `fetchedAt`. */
  readonly lifetime: number
}

/** Keys as a store keeps them: only what verification needs. */
export function toStoredKeys({ keys, fetchedAt, lifetime }: AgedKeys): StoredKeys {
  const jwks = [...keys.values()].map(({ kid, algorithm: { kty, alg }, members }) => ({
    kty,
    alg,
    use: 'sig',
    kid,
    ...members,
  }))
  return { jwks: { keys: jwks }, fetchedAt, lifetimeSeconds: lifetime / 1000 }
}

/**
 * Checks what a store returned: keys from the future are refused, and the lifetime is at most that
 * of an answer.
 *
 * @param now - milliseconds since the epoch
 * @throws Error saying what is wrong with it
 */
export function fromStoredKeys(
  stored: StoredKeys,
  algorithm: SignatureAlgorithm,
  now: number,
): AgedKeys {
  const { jwks, fetchedAt, lifetimeSeconds } = stored
  if (!Number.isFinite(fetchedAt) || !Number.isFinite(lifetimeSeconds)) {
    throw new Error('the stored keys have no fetchedAt or lifetimeSeconds')
  }
  if (fetchedAt > now) throw new Error('the stored keys are from the future')
  const lifetime = boundedLifetime(lifetimeSeconds * 1000)
  return { keys: parseJwks(jwks, algorithm).keys, fetchedAt, lifetime }
}

/**
 * Loads from a store that may hang. Nobody waits for it longer than for the endpoint.
 *
 * @param timeout - milliseconds
 * @param closing - ends the wait; nothing is loaded afterwards
 */
export async function loadWithin(
  keyStore: KeyStore | undefined,
  timeout: number,
  closing: AbortSignal,
): Promise<StoredKeys | null> {
  if (keyStore === undefined) return null
  closing.throwIfAborted()
  return within(keyStore.load(), {
    deadline: { timeout, tooLate: () => new Error('the key store did not answer in time') },
    signal: closing,
  })
}
