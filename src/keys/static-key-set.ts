import type { Keys, KeySet } from './key-set.ts'

/** Keys that were given as an option: always current, never fetched. */
export function staticKeySet(keys: Keys): KeySet {
  return {
    current: () => keys,
    ready: () => Promise.resolve({ fetched: false }),
    refetch: () => null,
    unavailable: () => null,
    stats: () => ({ state: 'static', keys: keys.size, fetches: 0, failures: 0, ageSeconds: null }),
    close: () => undefined,
  }
}
