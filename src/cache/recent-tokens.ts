/**
 * Which tokens were seen recently, recognised by a few characters of their signature. For at most
 * three in a hundred new tokens the answer is wrong. Only speed depends on it.
 *
 * Two Bloom filters, so that a look-up makes no string and no entry: tokens that are used only
 * once cost almost nothing. When the newer filter is full, it becomes the older one. The tokens of
 * the older filter are then forgotten, except those that were seen again.
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

  /** Whether a token with this signature was seen recently. */
  has(token: string): boolean {
    const hash = hashOf(token)
    if (this.#younger.has(hash)) return true
    if (!this.#older.has(hash)) return false
    this.#add(hash)
    return true
  }

  /** Adds a token, unless it was seen recently; returns whether it was added. */
  add(token: string): boolean {
    const hash = hashOf(token)
    if (this.#younger.has(hash) || this.#older.has(hash)) return false
    this.#add(hash)
    return true
  }

  #add(hash: number): void {
    if (this.#added >= this.#max) {
      const emptied = this.#older
      emptied.clear()
      this.#older = this.#younger
      this.#younger = emptied
      this.#added = 0
    }
    this.#added += 1
    this.#younger.add(hash)
  }
}

/** The smallest filter, in bytes. Even a small cache would gain nothing from a smaller one. */
const LEAST = 1024

/** Has at least sixteen bits for each token, and sets two of them. */
class BloomFilter {
  readonly #bits: DataView
  readonly #lastByte: number

  constructor(max: number) {
    // A power of two: masking a hash costs less than dividing it.
    const bytes = 2 ** Math.ceil(Math.log2(Math.max(LEAST, 2 * max)))
    this.#lastByte = bytes - 1
    this.#bits = new DataView(new ArrayBuffer(bytes))
  }

  has(hash: number): boolean {
    return this.#isSet(hash) && this.#isSet(halvesSwapped(hash))
  }

  add(hash: number): void {
    this.#set(hash)
    this.#set(halvesSwapped(hash))
  }

  clear(): void {
    new Uint8Array(this.#bits.buffer).fill(0)
  }

  #isSet(hash: number): boolean {
    return (this.#bits.getUint8(this.#byteOf(hash)) & bitOf(hash)) !== 0
  }

  #set(hash: number): void {
    const byte = this.#byteOf(hash)
    this.#bits.setUint8(byte, this.#bits.getUint8(byte) | bitOf(hash))
  }

  #byteOf(hash: number): number {
    return (hash >>> 3) & this.#lastByte
  }
}

/** A second position for the same hash. */
function halvesSwapped(hash: number): number {
  return (hash << 16) | (hash >>> 16)
}

function bitOf(hash: number): number {
  return 1 << (hash & 7)
}

/**
 * The number of characters that are used. A signature has 86 or more, with 6 random bits each; the
 * last one may have only 2.
 */
const HASHED = 8

/** FNV-1a (RFC 9923) of the last characters. Signed, as V8 keeps such a number without an object. */
function hashOf(token: string): number {
  let hash = 0x811c9dc5
  for (let i = token.length - HASHED; i < token.length; i += 1) {
    hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193)
  }
  return hash
}
