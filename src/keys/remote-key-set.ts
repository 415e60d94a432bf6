import { refusal, type IdTokenError } from '../errors/id-token-error.ts'
import { SingleFlight } from '../pacing/single-flight.ts'
import type { SteadyClock } from '../pacing/steady-clock.ts'
import { FetchPace } from './fetch-pace.ts'
import { fetchJwks, type JwksAnswer } from './fetch-jwks.ts'
import {
  freshenedHeaders,
  loadFreshnessLifetime,
  type FreshnessLifetime,
  type ResponseHeaders,
} from './freshness.ts'
import type { Keys, KeySet, KeySetStats, KeysState, ReadyResult } from './key-set.ts'
import {
  fromStoredKeys,
  loadWithin,
  toStoredKeys,
  type AgedKeys,
  type KeyStore,
} from './key-store.ts'
import { parseJwks } from './parse-jwks.ts'
import type { SignatureAlgorithm } from './signature-algorithms.ts'

/** The parts of a remote key set. */
export interface RemoteKeySetOptions {
  readonly uri: string
  /** The algorithm of the keys: other keys in the set are ignored. */
  readonly algorithm: SignatureAlgorithm
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds past their lifetime for which the last good keys may be used. */
  readonly maxStale: number
  readonly keyStore: KeyStore | undefined
  readonly events: KeyEvents
  /** Milliseconds since the epoch, for the age of keys. */
  readonly now: () => number
  /** For waits; the clock never stands still. */
  readonly steadyNow: SteadyClock
  /** Milliseconds for one fetch, headers and body together. */
  readonly timeout: number
  /** Uniform from 0 to 1. Default `Math.random`. */
  readonly random?: () => number
}

/** Gets notice of what happens to the keys. */
export interface KeyEvents {
  /** @param took - milliseconds of the fetch */
  readonly refreshed: (keys: AgedKeys, skipped: readonly string[], took: number) => void
  readonly failed: (failure: KeyFailure) => void
  readonly storeFailed: (action: 'load' | 'save', reason: string) => void
}

/** A fetch without usable keys. */
export interface KeyFailure {
  readonly reason: string
  /** The state of the current keys after it. */
  readonly state: KeysState
  /** Milliseconds until another may be tried. */
  readonly retryIn: number
  /** Milliseconds of the fetch. */
  readonly took: number
}

/** The last good keys, and their times: milliseconds since the epoch. */
interface CurrentKeys extends AgedKeys {
  readonly headers: ResponseHeaders
  readonly refreshAt: number
  readonly staleAt: number
  readonly unusableAt: number
}

/** The keys of a good answer. */
interface FetchedKeys {
  readonly aged: AgedKeys
  readonly headers: ResponseHeaders
  /** Why other keys of the set are ignored. */
  readonly skipped: readonly string[]
}

/** Why keys are fetched; each reason has its own pace. */
type FetchReason = 'refresh' | 'need' | 'unknown key'

/** The part of their lifetime after which keys are refreshed, and how much it varies. */
const REFRESH_FROM = 0.8
const REFRESH_JITTER = 0.1

/**
 * The keys that a JWKS endpoint publishes. They are kept while the endpoint fails.
 *
 * Only requests cause fetches: between requests an instance on Cloud Run may have no CPU, and a
 * timer would stand still.
 */
export class RemoteKeySet implements KeySet {
  readonly #options: RemoteKeySetOptions
  readonly #random: () => number
  readonly #pace: FetchPace
  readonly #closing = new AbortController()
  #current: CurrentKeys | null = null
  readonly #flights = new SingleFlight<void>()
  #fetches = 0
  #failures = 0
  /** The number of good answers so far, and whether the newest fetch that has ended failed. */
  #answers = 0
  #hasFailed = false
  /**
   * Whether, since the last good answer, a token had a key that is missing here but may have been
   * published.
   */
  #keyMissing = false
  #lastFailure = 'they were not asked for yet'
  #restoring: Promise<void> | null = null

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#pace = new FetchPace(this.#random)
  }

  current(now = this.#options.now()): Keys | null {
    const current = this.#current
    if (current === null || !(now < current.unusableAt)) return null
    // If a refresh is due, the request starts it, and uses the keys that are there.
    if (now >= current.refreshAt) void this.#joinFetch('refresh')
    // If a fetch for a missing key has failed, the next request starts another one.
    if (this.#keyMissing && this.#hasFailed) void this.#joinFetch('need')
    return current.keys
  }

  async ready(): Promise<ReadyResult | IdTokenError> {
    if (this.current() !== null) return { fetched: false }
    const answersBefore = this.#answers
    const sources = [this.#joinFetch('need') ?? Promise.resolve(), this.#restore()]
    await Promise.race(sources)
    if (this.current() === null) await Promise.all(sources)
    if (this.current() === null) return this.#unavailable()
    return { fetched: this.#answers > answersBefore }
  }

  refetch(kid: string, wall: number, waits: boolean): Promise<void> | null {
    this.#keyMissing = true
    const now = this.#options.steadyNow(wall)
    const joined = this.#flights.inProgress(now)
    if (joined === null) return this.#startIfDue('unknown key', now)
    // Each `then` keeps its function in memory until the fetch ends, and thousands of tokens may
    // come before that.
    if (!waits) return joined
    return joined.then(() =>
      // If the key is not there, that fetch may have been answered before the key was published. So
      // make another one.
      this.#current?.keys.has(kid) ? undefined : (this.#joinFetch('unknown key') ?? undefined),
    )
  }

  unavailable(now = this.#options.now()): IdTokenError | null {
    const isKnown = this.#answers > 0 && !this.#hasFailed && this.#state(now) !== 'none'
    return isKnown ? null : this.#unavailable()
  }

  stats(): KeySetStats {
    const state = this.#state()
    const current = state === 'none' ? null : this.#current
    return {
      state,
      keys: current?.keys.size ?? 0,
      fetches: this.#fetches,
      failures: this.#failures,
      ageSeconds: current === null ? null : (this.#options.now() - current.fetchedAt) / 1000,
    }
  }

  close(): void {
    this.#lastFailure = CLOSED
    this.#closing.abort(new Error(CLOSED))
  }

  #state(now = this.#options.now()): KeysState {
    if (this.#current === null || !(now < this.#current.unusableAt)) return 'none'
    return now < this.#current.staleAt ? 'fresh' : 'stale'
  }

  #unavailable(): IdTokenError {
    const retryAfter = Math.ceil(this.#pace.untilNeeded(this.#options.steadyNow()) / 1000)
    return refusal('ID_TOKEN_KEYS_UNAVAILABLE', {
      found: this.#lastFailure,
      retryAfter: Math.max(retryAfter, 1),
    })
  }

  /** The fetch in progress, or a new one if one may be made; otherwise `null`. */
  #joinFetch(reason: FetchReason): Promise<void> | null {
    const now = this.#options.steadyNow()
    return this.#flights.inProgress(now) ?? this.#startIfDue(reason, now)
  }

  #startIfDue(reason: FetchReason, now: number): Promise<void> | null {
    if (this.#closing.signal.aborted || !this.#isDue(reason, now)) return null
    return this.#startFetch(now)
  }

  #isDue(reason: FetchReason, now: number): boolean {
    if (reason === 'unknown key') return this.#pace.takeForUnknownKey(now)
    const wait = reason === 'need' ? this.#pace.untilNeeded(now) : this.#pace.untilRefresh(now)
    return wait === 0
  }

  /** Its promise resolves when the fetch is over, with any result. */
  #startFetch(startedAt: number): Promise<void> {
    this.#fetches += 1
    const { timeout } = this.#options
    const controller = new AbortController()
    const giveUp = (): void => {
      controller.abort(new Error(TOO_LATE))
    }
    const close = (): void => {
      controller.abort(new Error(CLOSED))
    }
    const timer = setTimeout(giveUp, timeout)
    this.#closing.signal.addEventListener('abort', close)
    const over = (): void => {
      clearTimeout(timer)
      this.#closing.signal.removeEventListener('abort', close)
    }
    return this.#flights.start(
      // If a logger throws, the promise must not reject, because perhaps nobody waits for it.
      (number) => this.#fetch(number, startedAt, controller.signal).then(over, over),
      { giveUpAt: startedAt + timeout, giveUp },
    )
  }

  async #fetch(number: number, startedAt: number, signal: AbortSignal): Promise<void> {
    const { uri, fetch } = this.#options
    const known = this.#current
    try {
      const [answer, lifetimeOf] = await Promise.all([
        fetchJwks({ uri, fetch, etag: known?.headers.etag, signal }),
        loadFreshnessLifetime(),
      ])
      const accepted = this.#parse(answer, known, lifetimeOf)
      if (this.#flights.claimNewest(number)) this.#accept(startedAt, accepted)
    } catch (error) {
      if (this.#flights.claimNewest(number)) this.#fail(startedAt, error)
    }
  }

  #parse(
    { document, headers }: JwksAnswer,
    known: CurrentKeys | null,
    lifetimeOf: FreshnessLifetime,
  ): FetchedKeys {
    const notModified = document === undefined && known !== null
    const { keys, skipped } = notModified
      ? { keys: known.keys, skipped: [] }
      : parseJwks(document, this.#options.algorithm, this.#current?.keys)
    const current = notModified ? freshenedHeaders(known.headers, headers) : headers
    const aged = { keys, fetchedAt: this.#options.now(), lifetime: lifetimeOf(current) }
    return { aged, headers: current, skipped }
  }

  #accept(startedAt: number, { aged, headers, skipped }: FetchedKeys): void {
    this.#answers += 1
    this.#hasFailed = false
    this.#keyMissing = false
    this.#pace.succeeded()
    this.#keep(aged, headers)
    this.#options.events.refreshed(aged, skipped, this.#options.steadyNow() - startedAt)
    void this.#save(aged)
  }

  #keep(aged: AgedKeys, headers: ResponseHeaders): void {
    const { fetchedAt, lifetime } = aged
    const refreshAfter = lifetime * (REFRESH_FROM + REFRESH_JITTER * this.#random())
    const staleAt = fetchedAt + lifetime
    this.#current = {
      ...aged,
      headers,
      refreshAt: fetchedAt + refreshAfter,
      staleAt,
      unusableAt: staleAt + this.#options.maxStale,
    }
  }

  #fail(startedAt: number, error: unknown): void {
    const now = this.#options.steadyNow()
    this.#hasFailed = true
    this.#lastFailure = reasonOf(error)
    // Closing is no failure of the endpoint, so there is no warning.
    if (this.#closing.signal.aborted) return
    this.#failures += 1
    this.#pace.failed(startedAt, now)
    const state = this.#state()
    const retryIn = state === 'none' ? this.#pace.untilNeeded(now) : this.#pace.untilRefresh(now)
    const took = now - startedAt
    this.#options.events.failed({ reason: this.#lastFailure, state, retryIn, took })
  }

  /** Loads the keys of an earlier process, once. They never replace an answer of the endpoint. */
  #restore(): Promise<void> {
    this.#restoring ??= this.#load()
    return this.#restoring
  }

  async #load(): Promise<void> {
    const { keyStore, algorithm, now, events, timeout } = this.#options
    try {
      const stored = await loadWithin(keyStore, timeout, this.#closing.signal)
      if (stored !== null && this.#current === null)
        this.#keep(fromStoredKeys(stored, algorithm, now()), {})
    } catch (error) {
      if (!this.#closing.signal.aborted) events.storeFailed('load', reasonOf(error))
    }
  }

  async #save(aged: AgedKeys): Promise<void> {
    const { keyStore, events } = this.#options
    try {
      await keyStore?.save(toStoredKeys(aged))
    } catch (error) {
      events.storeFailed('save', reasonOf(error))
    }
  }
}

const CLOSED = 'the verifier was closed'
const TOO_LATE = 'the key endpoint did not answer in time'

/** The message of `fetch` is only "fetch failed"; the cause says what failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure'
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
