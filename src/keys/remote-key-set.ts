import { IdTokenError } from '../verdict/id-token-error.ts'
import { fetchJwks } from './fetch-jwks.ts'
import type { KeySet, KeySetStats, VerificationKey } from './key-set.ts'
import { parseJwks } from './parse-jwks.ts'

/** What a remote key set is made of. */
export interface RemoteKeySetOptions {
  readonly uri: string
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly logger: { readonly warn: (finding: object, message: string) => void }
  /** Told of every fetch that has ended. */
  readonly fetched: (outcome: 'ok' | 'failed') => void
}

type Keys = ReadonlyMap<string, VerificationKey>

const TIMEOUT = 3_000
const LIFE = 600_000
const REFETCH_INTERVAL = 10_000

/** The keys that a JWKS endpoint publishes: fetched when they are needed, kept for ten minutes. */
export class RemoteKeySet implements KeySet {
  readonly #options: RemoteKeySetOptions
  readonly #closed = new AbortController()
  #keys: Keys | null = null
  #fetchedAt = -Infinity
  #attemptedAt = -Infinity
  #pending: Promise<void> | null = null
  #fetches = 0
  #failures = 0

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
  }

  current(): Keys | null {
    return this.#options.now() - this.#fetchedAt < LIFE ? this.#keys : null
  }

  async ready(): Promise<void> {
    if (this.current() === null) await this.#fetchOnce()
  }

  refetchFor(kid: string): Promise<VerificationKey | undefined> | null {
    const sinceAttempt = this.#options.now() - this.#attemptedAt
    if (this.#pending === null && sinceAttempt < REFETCH_INTERVAL) return null
    return this.#fetchOnce().then(() => this.#keys?.get(kid))
  }

  stats(): KeySetStats {
    return {
      state: this.#keys === null ? 'none' : this.current() === null ? 'stale' : 'fresh',
      keys: this.#keys?.size ?? 0,
      fetches: this.#fetches,
      failures: this.#failures,
      age: this.#keys === null ? null : (this.#options.now() - this.#fetchedAt) / 1000,
    }
  }

  close(): void {
    this.#closed.abort()
  }

  /** One fetch at a time, whoever asks. */
  #fetchOnce(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = null
    })
    return this.#pending
  }

  async #fetch(): Promise<void> {
    const { uri, fetch, now, logger, fetched } = this.#options
    this.#fetches += 1
    this.#attemptedAt = now()
    try {
      const signal = this.#closed.signal
      const document = await fetchJwks({ uri, fetch, timeout: TIMEOUT, signal })
      const { keys, skipped } = parseJwks(document, this.#keys ?? undefined)
      if (skipped.length > 0) logger.warn({ skipped }, 'unusable keys of the JWK set are left out')
      this.#keys = keys
      this.#fetchedAt = now()
      fetched('ok')
    } catch (cause) {
      this.#failures += 1
      fetched('failed')
      const found = cause instanceof Error ? cause.message : 'an unknown failure'
      throw new IdTokenError('ID_TOKEN_KEYS_UNAVAILABLE', { found, cause })
    }
  }
}
