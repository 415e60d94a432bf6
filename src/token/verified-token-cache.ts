import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { VerificationKey } from '../keys/key-set.ts'

/** A token whose signature was verified: with which key, and what was made of it. */
export interface VerifiedToken<Content> {
  readonly key: VerificationKey
  content: Content
}

/**
 * Tokens whose signature was verified, so that a caller who sends one token for an hour pays for
 * one verification.
 *
 * The cache key is a digest of the whole token: anything less two tokens could share, and the
 * token itself, which is a credential, is not kept. Only successes are kept, and of a success only
 * what the signature proves: claims and caller are judged at every request.
 */
export class VerifiedTokenCache<Content> {
  readonly #entries: LRUCache<string, VerifiedToken<Content>>

  /** @param max - how many tokens are kept; the least recently used gives way */
  constructor(max: number) {
    this.#entries = new LRUCache({ max })
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#entries.size
  }

  /** What this token was found to be, as long as the key that signed it is among the keys. */
  get(
    digest: string,
    keys: ReadonlyMap<string, VerificationKey>,
  ): VerifiedToken<Content> | undefined {
    const verified = this.#entries.get(digest)
    if (verified === undefined || keys.get(verified.key.kid) === verified.key) return verified
    this.#entries.delete(digest)
    return undefined
  }

  /** Keeps a token that was just verified. */
  set(digest: string, verified: VerifiedToken<Content>): void {
    this.#entries.set(digest, verified)
  }
}

/** Google's tokens have some 700 to 1,300 characters; hashing more would make garbage dear. */
const LONGEST_REMEMBERED = 4096

/** The cache key of a token, SHA-256 as a string of 32 bytes; `null` for one not worth keeping. */
export function tokenDigest(token: string): string | null {
  return token.length <= LONGEST_REMEMBERED ? hash('sha256', token, 'binary') : null
}
