import { Backoff } from '../pacing/backoff.ts'
import { RefetchBudget } from '../pacing/refetch-budget.ts'

/**
 * When the key endpoint may be asked again. All times are milliseconds on one steady clock.
 *
 * There are three reasons to ask, and each has a pace of its own:
 * - A refresh, while the keys may still be used, can wait. After failures it backs off for up to a
 *   minute, with full jitter.
 * - A need cannot wait, because valid requests may be refused meanwhile: no keys may be used, or a
 *   key is missing and the last fetch failed. After failures it backs off for at most four seconds
 *   from the start of the last fetch, or for at most a second from the end of one that took longer.
 *   With the default `fetchTimeout`, the end of an outage is noticed within five seconds. The
 *   jitter keeps many instances from returning at the same time.
 * - A token with an unknown key, after a fetch that succeeded: anyone can send one. It takes from a
 *   budget.
 *
 * This limits the fetches that tokens can cause, whatever tokens anyone sends. After the first few
 * fetches, it is one in two seconds if all fetches succeed, or if all fail. If they succeed and
 * fail in turn, it is two a second on average: one from the budget every two seconds, and at most
 * three retries before the next one.
 */
export class FetchPace {
  readonly #random: () => number
  readonly #backoff: Backoff
  readonly #budget = new RefetchBudget({ capacity: 3, refillInterval: 2_000 })
  #failures = 0
  #neededFrom = -Infinity

  /** @param random - uniform from 0 to 1 */
  constructor(random: () => number) {
    this.#random = random
    this.#backoff = new Backoff(random)
  }

  /** Milliseconds until a refresh may be made. */
  untilRefresh(now: number): number {
    return Math.max(this.#backoff.remaining(now), this.untilNeeded(now))
  }

  /** Milliseconds until a fetch that is needed may be made. */
  untilNeeded(now: number): number {
    return Math.max(0, this.#neededFrom - now)
  }

  /** Whether a fetch for an unknown key may be made now. If so, the caller must make it. */
  takeForUnknownKey(now: number): boolean {
    return this.#failures > 0 ? this.untilNeeded(now) === 0 : this.#budget.take(now)
  }

  succeeded(): void {
    this.#failures = 0
    this.#neededFrom = -Infinity
    this.#backoff.succeeded()
  }

  /** @param startedAt - when the fetch that failed had started */
  failed(startedAt: number, now: number): void {
    const longest = Math.min(FIRST * GROWTH ** this.#failures, CAP)
    // At least half of `longest`: with full jitter, one instance could ask without a pause.
    const wait = longest * (0.5 + 0.5 * this.#random())
    this.#failures += 1
    const neededFrom = startedAt + wait
    // A fetch that took longer than that (because the endpoint hangs) is not repeated at once:
    // otherwise all instances whose fetches timed out together would return together.
    this.#neededFrom = neededFrom > now ? neededFrom : now + PAUSE * this.#random()
    this.#backoff.failed(now)
  }
}

const FIRST = 500
/** Slower than doubling: if only some fetches fail, one of the next ones gets the key. */
const GROWTH = 1.5
const CAP = 4_000
const PAUSE = 1_000
