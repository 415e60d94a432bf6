import type { KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from './signature-algorithms.ts'
import type { IdTokenError } from '../errors/id-token-error.ts'

/** A public key that tokens may be verified with. */
export interface VerificationKey {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly algorithm: SignatureAlgorithm
  /** The members of the JWK that make it this key and no other, by name. */
  readonly members: Readonly<Record<string, string>>
}

/** Keys by `kid`. */
export type Keys = ReadonlyMap<string, VerificationKey>

/** What is known of the keys, for `stats()`. */
export interface KeySetStats {
  /**
   * How the keys stand. `fresh`: within the lifetime that the endpoint gave them. `stale`: past it,
   * still in use because no newer answer could be had. `none`: nothing usable. `static`: given as an
   * option.
   */
  readonly state: 'static' | 'fresh' | 'stale' | 'none'
  /** How many keys there are. */
  readonly keys: number
  /** Fetches begun, whatever came of them. */
  readonly fetches: number
  /** Fetches that brought no usable keys. */
  readonly failures: number
  /** Seconds since the last good answer; `null` without one. */
  readonly ageSeconds: number | null
}

/** How fetched keys stand. */
export type KeysState = Exclude<KeySetStats['state'], 'static'>

/** There are current keys. */
export interface ReadyKeys {
  /** Whether they were fetched after they were asked for. */
  readonly fetched: boolean
}

/**
 * Where the keys come from. All that is above asks this face only; it has an answer at once
 * while there are current keys, and no good token waits for a fetch then.
 */
export interface KeySet {
  /** The current keys, or `null` where there are none that may be used. */
  readonly current: () => Keys | null
  /**
   * Resolves when there are current keys, to whether they were fetched after the call; or to
   * `ID_TOKEN_KEYS_UNAVAILABLE`.
   */
  readonly ready: () => Promise<ReadyKeys | IdTokenError>
  /**
   * For a `kid` that the current keys lack: resolves when a fetch has ended that may have brought
   * it. `null` where no fetch is due.
   */
  readonly refetch: (kid: string) => Promise<void> | null
  /**
   * The error for a `kid` that the current keys lack, where it may have been published all the same:
   * the newest fetch failed, or none has ended yet. `null` where the newest fetch succeeded.
   */
  readonly unavailable: () => IdTokenError | null
  readonly stats: () => KeySetStats
  /**
   * Ends whatever is under way, and with it all waiting; nothing is fetched afterwards. The keys in
   * hand stay usable.
   */
  readonly close: () => void
}
