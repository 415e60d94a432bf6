import type { KeyObject } from 'node:crypto'

/** A public key that tokens may be verified with. */
export interface VerificationKey {
  readonly kid: string
  readonly publicKey: KeyObject
  /** The JWK members that make it this key and no other. */
  readonly modulus: string
  readonly exponent: string
}

/** What is known of the keys, for `stats()`. */
export interface KeySetStats {
  /** `static`: given as an option; `none`: never had any; otherwise how the last good set stands. */
  readonly state: 'static' | 'none' | 'fresh' | 'stale'
  /** How many keys are in hand. */
  readonly keys: number
  /** Fetches begun, whatever came of them. */
  readonly fetches: number
  /** Fetches that brought no usable keys. */
  readonly failures: number
  /** Seconds since the last good answer, `null` without one. */
  readonly age: number | null
}

/**
 * Where the keys come from. Everything above asks this face only, and asks it in a way that has an
 * answer at once when keys are in hand.
 */
export interface KeySet {
  /** The keys in hand by `kid`, or `null` where there are none that may be used. */
  current: () => ReadonlyMap<string, VerificationKey> | null
  /** Resolves when keys are in hand; rejects with `ID_TOKEN_KEYS_UNAVAILABLE`. */
  ready: () => Promise<void>
  /**
   * After `current()` lacked a `kid`: resolves to its key if one refetch, where one is due, brings
   * it. `null` at once where no refetch is due.
   */
  refetchFor: (kid: string) => Promise<VerificationKey | undefined> | null
  stats: () => KeySetStats
  /** Ends whatever is under way; nothing is fetched afterwards. */
  close: () => void
}
