/**
 * Which tokens were seen lately, told by a few characters of their signature. It is wrong about one
 * in a hundred that were not, and nothing but speed depends on it.
 *
 * Two Bloom filters, so that asking makes no string and no entry: tokens that come only once pay
 * next to nothing for those that come again. When the younger filter is full it becomes the older,
 * and what is in the older is forgotten unless asked for in between.
 */
export class RecentTokens {
  readonly #max: number
  #younger: BloomFilter
  #older: BloomFilter
  #added = 0

  /** @param max - how many a filter holds */
  constructor(max: number) {
    this.#max = max
    this.#younger = new BloomFilter(max)
    this.#older = new BloomFilter(max)
  }

  /** Whether a token with this signature was seen lately. */
  has(token: string): boolean {
    const [first, second] = [hashOf(token, 2), hashOf(token, 1)]
    if (this.#younger.has(first, second)) return true
    if (!this.#older.has(first, second)) return false
    this.#add(first, second)
    return true
  }

  add(token: string): void {
    this.#add(hashOf(token, 2), hashOf(token, 1))
  }

  #add(first: number, second: number): void {
    if (this.#added >= this.#max) {
      const emptied = this.#older
      emptied.clear()
      this.#older = this.#younger
      this.#younger = emptied
      this.#added = 0
    }
    this.#added += 1
    this.#younger.add(first, second)
  }
}

/** Bytes: so few that a small cache has nothing to gain from less. */
const LEAST = 1024

/** Two bits for each, out of sixteen. */
class BloomFilter {
  readonly #bits: Uint8Array

  constructor(max: number) {
    this.#bits = new Uint8Array(Math.max(LEAST, 2 * max))
  }

  has(first: number, second: number): boolean {
    return this.#isSet(first) && this.#isSet(second)
  }

  add(first: number, second: number): void {
    this.#set(first)
    this.#set(second)
  }

  clear(): void {
    this.#bits.fill(0)
  }

  #isSet(hash: number): boolean {
    return ((this.#bits[this.#byteOf(hash)] ?? 0) & bitOf(hash)) !== 0
  }

  #set(hash: number): void {
    const byte = this.#byteOf(hash)
    this.#bits[byte] = (this.#bits[byte] ?? 0) | bitOf(hash)
  }

  #byteOf(hash: number): number {
    return (hash >>> 3) % this.#bits.length
  }
}

function bitOf(hash: number): number {
  return 1 << (hash & 7)
}

/** Characters, of which a signature has hundreds: each is 6 random bits. */
const HASHED = 8

/** FNV-1a (RFC 9923) of some characters, `groups` of them before the end. */
function hashOf(token: string, groups: 1 | 2): number {
  const start = token.length - groups * HASHED
  let hash = 0x811c9dc5
  for (let i = start; i < start + HASHED; i += 1) {
    hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
