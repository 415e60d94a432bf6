import type { KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from './signature-algorithms.ts'
import type { IdTokenError } from '../errors/id-token-error.ts'

/** A public key that tokens may be verified with. */
export interface VerificationKey {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly algorithm: SignatureAlgorithm
  /** The members of the JWK that hold the public key, by name. */
  readonly members: Readonly<Record<string, string>>
}

/** Keys by `kid`. */
export type Keys = ReadonlyMap<string, VerificationKey>

/** What is known of the keys, for `stats()`. */
export interface KeySetStats {
  /**
   * The state of the keys. `fresh`: within the lifetime that the endpoint gave them. `stale`: past it,
   * but still used because there is no newer answer. `none`: no usable keys. `static`: given as an
   * option.
   */
  readonly state: 'static' | 'fresh' | 'stale' | 'none'
  /** How many keys there are. */
  readonly keys: number
  /** Fetches begun, with any result. */
  readonly fetches: number
  /** Fetches without usable keys. */
  readonly failures: number
  /**
   * Seconds since the last good answer; `null` if there are no usable keys, or if the keys are
   * those of an option.
   */
  readonly ageSeconds: number | null
}

/** The state of fetched keys. */
export type KeysState = Exclude<KeySetStats['state'], 'static'>

/** What `ready()` resolves to if there are current keys. */
export interface ReadyResult {
  /** Whether they were fetched after the call of `ready()`. */
  readonly fetched: boolean
}

/**
 * Where the keys come from. The verifier uses only this interface. While there are current keys it
 * answers synchronously, and only a token whose key is not among them waits for a fetch.
 */
export interface KeySet {
  /**
   * The current keys, or `null` if no keys may be used.
   *
   * @param now - milliseconds since the epoch; read from the clock if missing
   */
  readonly current: (now?: number) => Keys | null
  /**
   * Resolves when there are current keys; the value says whether they were fetched after the call.
   * Or resolves to `ID_TOKEN_KEYS_UNAVAILABLE`.
   */
  readonly ready: () => Promise<ReadyResult | IdTokenError>
  /**
   * For a `kid` that the current keys do not have: resolves when a fetch has ended that may have
   * found it. `null` if no fetch is due.
   *
   * @param now - milliseconds since the epoch
   * @param waits - whether the caller waits for it; if not, a fetch in progress is enough
   */
  readonly refetch: (kid: string, now: number, waits: boolean) => Promise<void> | null
  /**
   * The error for a `kid` that the current keys do not have, if it is not known whether it was
   * published: the newest fetch failed, none has succeeded yet, or the keys are too old to be used.
   * Otherwise `null`.
   *
   * @param now - milliseconds since the epoch; read from the clock if missing
   */
  readonly unavailable: (now?: number) => IdTokenError | null
  readonly stats: () => KeySetStats
  /**
   * Ends any fetch in progress, and all waiting for it. Nothing is fetched afterwards. The current
   * keys stay usable.
   */
  readonly close: () => void
}
