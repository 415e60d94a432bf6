import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Keys, VerificationKey } from '../keys/key-set.ts'
import { ownCopy } from '../token/own-copy.ts'
import { RecentTokens } from './recent-tokens.ts'

/** A token whose signature was verified: its key, its claims and its caller. */
export interface VerifiedToken<Content> {
  readonly key: VerificationKey
  content: Content
}

/** What is kept of a token. */
interface KeptToken<Content> extends VerifiedToken<Content> {
  /** The first two segments with the dot: without the signature they are no credential. */
  readonly signingInput: string
}

/**
 * Tokens whose signature was verified. If a caller sends one token for an hour, its signature is
 * not verified each time.
 *
 * A token is found by the digest of its signature, and then its signing input (RFC 7515 section
 * 5.1) must be the same, character for character. So the whole token is compared. The signature
 * itself is not kept, because it is what makes the rest a credential. Only verified tokens are
 * kept. Times and caller are checked at every request, issuer and audience wherever they may differ
 * from the last time.
 *
 * A token is kept after its second use. So tokens that are used once cost no digest, and many of
 * them do not push out the tokens that are used again.
 */
export class VerifiedTokenCache<Content> {
  readonly #entries: LRUCache<string, KeptToken<Content>>
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
    const end = endOfSigningInput(token)
    const digest = digestOf(token.slice(end + 1))
    const kept = this.#entries.get(digest)
    if (kept?.signingInput !== token.slice(0, end)) return undefined
    if (keys.get(kept.key.kid) === kept.key) return kept
    this.#entries.delete(digest)
    return undefined
  }

  /** Keeps a token that was just verified, unless it is its first use. */
  set(token: string, { key, content }: VerifiedToken<Content>): void {
    const isFirstUse = this.#recent.add(token)
    if (isFirstUse) return
    const end = endOfSigningInput(token)
    const signingInput = ownCopy(token.slice(0, end))
    this.#entries.set(digestOf(token.slice(end + 1)), { key, content, signingInput })
  }
}

/** Where the second dot is. */
function endOfSigningInput(token: string): number {
  return token.indexOf('.', token.indexOf('.') + 1)
}

/** SHA-256, as a string of 32 bytes. */
function digestOf(signature: string): string {
  return hash('sha256', signature, 'binary')
}
