/**
 * How often others may cause an extra fetch: a token bucket.
 *
 * It counts attempts, not successes: a flood of forged tokens during an outage must not become a
 * flood on the key endpoint. It is small but never empty for long, so that one forged token cannot
 * keep a new key from being fetched. The client uses it too, for a service that answers 401 to
 * every token.
 */
export class RefetchBudget {
  readonly #capacity: number
  readonly #refillInterval: number
  #left: number
  #refilledAt = -Infinity

  /**
   * @param size - how many attempts there are at once (default 5), and the milliseconds after which
   * one more may be made (default 10,000)
   */
  constructor({ capacity = 5, refillInterval = 10_000 }: BudgetSize = {}) {
    this.#capacity = capacity
    this.#refillInterval = refillInterval
    this.#left = capacity
  }

  /**
   * Takes one attempt, if one is left.
   *
   * @param now - milliseconds
   */
  take(now: number): boolean {
    const refills = Math.floor((now - this.#refilledAt) / this.#refillInterval)
    if (refills > 0) {
      const full = this.#left + refills >= this.#capacity
      this.#left = full ? this.#capacity : this.#left + refills
      this.#refilledAt = full ? now : this.#refilledAt + refills * this.#refillInterval
    }
    if (this.#left === 0) return false
    this.#left -= 1
    return true
  }
}

interface BudgetSize {
  readonly capacity?: number
  readonly refillInterval?: number
}
