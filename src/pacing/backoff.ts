/**
 * When to try again after failures: exponential back-off with full jitter, capped
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that many
 * instances that lost an endpoint at the same time do not all return to it at the same time.
 */
export class Backoff {
  readonly #random: () => number
  #failures = 0
  #until = -Infinity

  /** @param random - uniform from 0 to 1 */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Milliseconds to wait from `now`; 0 where an attempt may be made. */
  remaining(now: number): number {
    return Math.max(0, this.#until - now)
  }

  failed(now: number): void {
    const ceiling = Math.min(FIRST * 2 ** this.#failures, CAP)
    this.#failures += 1
    this.#until = now + this.#random() * ceiling
  }

  succeeded(): void {
    this.#failures = 0
    this.#until = -Infinity
  }
}

const FIRST = 1_000
const CAP = 60_000
