/**
 * How often others may cause a fetch out of turn: a token bucket.
 *
 * It counts attempts, not successes: a flood of forged tokens during an outage must not become a
 * flood on the key endpoint. It is small but never empty for long, so that one forged token cannot
 * hide a key that was just published. A service that answers 401 whatever it is sent is held to it
 * too.
 */
export class RefetchBudget {
  #left = CAPACITY
  #refilledAt = -Infinity

  /**
   * Takes one attempt, if one is left.
   *
   * @param now - milliseconds
   */
  take(now: number): boolean {
    const refills = Math.floor((now - this.#refilledAt) / REFILL_INTERVAL)
    if (refills > 0) {
      const full = this.#left + refills >= CAPACITY
      this.#left = full ? CAPACITY : this.#left + refills
      this.#refilledAt = full ? now : this.#refilledAt + refills * REFILL_INTERVAL
    }
    if (this.#left === 0) return false
    this.#left -= 1
    return true
  }
}

const CAPACITY = 5
const REFILL_INTERVAL = 10_000
