/**
 * Which tokens were seen lately, told by a few characters of their signature. It may be wrong in
 * either direction, and nothing but speed depends on it.
 *
 * A table with one place for each token, where a later token takes the place of an earlier one: to
 * ask costs no allocation, so tokens that come only once pay next to nothing for those that come
 * again. What it holds of a signature, 32 bits, is no use to anyone.
 */
export class RecentTokens {
  readonly #marks: Uint32Array

  /** @param tokens - how many come again and again; a few more have room */
  constructor(tokens: number) {
    this.#marks = new Uint32Array(Math.max(LEAST, 2 * tokens))
  }

  /** Whether a token with this signature was seen lately. */
  has(token: string): boolean {
    return this.#marks[this.#place(token)] === mark(token)
  }

  add(token: string): void {
    this.#marks[this.#place(token)] = mark(token)
  }

  #place(token: string): number {
    return hashOf(token, token.length - 2 * HASHED) % this.#marks.length
  }
}

/** Fewer would save nothing, and a crowd of tokens that come once would fill them at once. */
const LEAST = 1024

/** Characters, of which a signature has hundreds: each is 6 random bits. */
const HASHED = 8

/** Never 0, which is an empty place. */
function mark(token: string): number {
  return hashOf(token, token.length - HASHED) || 1
}

/** FNV-1a (RFC 9923) of some characters. */
function hashOf(token: string, start: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + HASHED; i += 1) {
    hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
