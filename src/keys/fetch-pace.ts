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
 *   from the start of the last fetch, so that an endpoint that is back is noticed within five. The
 *   jitter keeps many instances from coming back together.
 * - An unknown key, after a fetch that succeeded, may be named by anyone. It takes from a budget.
 *
 * This bounds what anyone can make an instance ask of the endpoint, whatever tokens they send: after
 * the first few fetches one in two seconds where all succeed, and where all fail. Where they succeed
 * and fail in turn it is two a second on average: one out of the budget every two seconds, and at
 * most three that repeat it before the next.
 */
export class FetchPace {
  readonly #random: () => number
  readonly #backoff: Backoff
  readonly #budget = new RefetchBudget({ capacity: 3, refillInterval: 2_000 })
  #failures = 0
  #neededAt = -Infinity

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
    return Math.max(0, this.#neededAt - now)
  }

  /** Whether a fetch for an unknown key may be made now; it is to be made where it may. */
  takeForUnknownKey(now: number): boolean {
    return this.#failures > 0 ? this.untilNeeded(now) === 0 : this.#budget.take(now)
  }

  succeeded(): void {
    this.#failures = 0
    this.#neededAt = -Infinity
    this.#backoff.succeeded()
  }

  /** @param startedAt - when the fetch that has failed `now` was begun */
  failed(startedAt: number, now: number): void {
    const longest = Math.min(FIRST * GROWTH ** this.#failures, CAP)
    // Never less than half of it: full jitter would let one instance ask without a pause.
    const wait = longest * (0.5 + 0.5 * this.#random())
    this.#failures += 1
    const neededAt = startedAt + wait
    // A fetch that took longer than that, as where the endpoint hangs, is not repeated at once: all
    // the instances whose fetches timed out together would come back together.
    this.#neededAt = neededAt > now ? neededAt : now + PAUSE * this.#random()
    this.#backoff.failed(now)
  }
}

const FIRST = 500
/** Slower than doubling: where only some fetches fail, the next one soon brings the key. */
const GROWTH = 1.5
const CAP = 4_000
const PAUSE = 1_000
