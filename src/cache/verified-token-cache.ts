import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Keys, VerificationKey } from '../keys/key-set.ts'
import { RecentTokens } from './recent-tokens.ts'

/** A token whose signature was verified: its key, its claims and its caller. */
export interface VerifiedToken<Content> {
  readonly key: VerificationKey
  content: Content
}

/**
 * Tokens whose signature was verified. If a caller sends one token for an hour, its signature is
 * not verified each time.
 *
 * The cache key is a digest of the whole token: two tokens could share a part of it, and the token
 * itself is a credential, so it is not kept. Only verified tokens are kept. Claims and caller are
 * checked at every request.
 *
 * A token is kept after its second use. So tokens that are used once cost no digest, and many of
 * them do not push out the tokens that are used again.
 */
export class VerifiedTokenCache<Content> {
  readonly #entries: LRUCache<string, VerifiedToken<Content>>
  readonly #recent: RecentTokens

  /** @param max - how many tokens are kept; the least recently used one is dropped */
  constructor(max: number) {
    this.#entries = new LRUCache({ max })
    this.#recent = new RecentTokens(max)
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#entries.size
  }

  /** The verified token, as long as the key that signed it is in the key set. */
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
