import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Keys, VerificationKey } from '../keys/key-set.ts'
import { RecentTokens } from './recent-tokens.ts'

/** A token whose signature was verified: with which key, and what was made of it. */
export interface VerifiedToken<Content> {
  readonly key: VerificationKey
  content: Content
}

/**
 * Tokens whose signature was verified, so that a caller who sends one token for an hour does not
 * pay for a verification each time.
 *
 * The cache key is a digest of the whole token: anything less two tokens could share, and the
 * token itself, which is a credential, is not kept. Only successes are kept, and of a success only
 * what the signature proves: claims and caller are checked at every request.
 *
 * A token is kept from its second use on. Those that come once pay for no digest then, and a crowd
 * of them does not drive out the ones that come again.
 */
export class VerifiedTokenCache<Content> {
  readonly #entries: LRUCache<string, VerifiedToken<Content>>
  readonly #recent: RecentTokens

  /** @param max - how many tokens are kept; the least recently used gives way */
  constructor(max: number) {
    this.#entries = new LRUCache({ max })
    this.#recent = new RecentTokens(max)
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#entries.size
  }

  /** What this token was found to be, as long as the key that signed it is among the keys. */
  get(token: string, keys: Keys): VerifiedToken<Content> | undefined {
    if (!this.#recent.has(token)) return undefined
    const digest = digestOf(token)
    const verified = this.#entries.get(digest)
    if (verified === undefined || keys.get(verified.key.kid) === verified.key) return verified
    this.#entries.delete(digest)
    return undefined
  }

  /** Keeps a token that was just verified, unless it is its first use. */
  set(token: string, verified: VerifiedToken<Content>): void {
    if (this.#recent.has(token)) this.#entries.set(digestOf(token), verified)
    else this.#recent.add(token)
  }
}

/** SHA-256, as a string of 32 bytes. */
function digestOf(token: string): string {
  return hash('sha256', token, 'binary')
}
