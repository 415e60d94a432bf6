/**
 * Which tokens were seen lately, told by the end of their signature. It may be wrong in either
 * direction, and nothing but speed depends on it.
 *
 * Two generations: when the younger is full it becomes the older, and the older is forgotten unless
 * asked for in between. So the bound is kept without touching an entry at each look-up.
 */
export class RecentTokens {
  readonly #max: number
  #younger = new Set<string>()
  #older = new Set<string>()

  /** @param max - how many a generation holds */
  constructor(max: number) {
    this.#max = max
  }

  /** Whether a token with this end was seen lately. */
  has(token: string): boolean {
    const end = endOf(token)
    if (this.#younger.has(end)) return true
    if (!this.#older.has(end)) return false
    this.#add(end)
    return true
  }

  add(token: string): void {
    this.#add(endOf(token))
  }

  #add(end: string): void {
    if (this.#younger.size >= this.#max) {
      this.#older = this.#younger
      this.#younger = new Set()
    }
    this.#younger.add(end)
  }
}

/**
 * 72 bits of the signature, which are no use without the rest. A longer end would be a slice that
 * keeps the whole token in memory.
 */
function endOf(token: string): string {
  return token.slice(-12)
}
