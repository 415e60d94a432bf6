import { callerOf, type Caller } from '../caller/caller.ts'
import type { KeySet, VerificationKey } from '../keys/key-set.ts'
import { verifyRsaSha256 } from '../keys/rsa-sha256.ts'
import type { Audiences } from '../options/audiences.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import { isSignatureRemoved } from '../request/removed-signature.ts'
import { checkClaims, type ClaimRules } from '../token/check-claims.ts'
import { parseToken, type ParsedToken } from '../token/parse-token.ts'
import {
  tokenDigest,
  type VerifiedToken,
  type VerifiedTokenCache,
} from '../token/verified-token-cache.ts'
import { IdTokenError } from '../verdict/id-token-error.ts'

/** For which audiences a token is judged, and in which header it was found. */
export interface JudgedAs {
  readonly audiences: Audiences
  readonly header: TokenHeader
}

/** What a judge works with. */
export interface JudgeParts {
  readonly rules: ClaimRules
  readonly keys: KeySet
  /** `null`: nothing is remembered. */
  readonly cache: VerifiedTokenCache<Caller> | null
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * Judges a token alone, whoever the caller: shape, algorithm, key, signature, then the claims.
 * Answers at once while keys are in hand, and with a promise where they must be fetched first.
 */
export class TokenJudge {
  readonly #parts: JudgeParts

  constructor(parts: JudgeParts) {
    this.#parts = parts
  }

  /** @throws IdTokenError at once or through the promise */
  judge(token: string, as: JudgedAs): Caller | Promise<Caller> {
    const { cache, keys } = this.#parts
    const inHand = keys.current()
    const digest = cache === null ? null : tokenDigest(token)
    const verified = inHand === null || digest === null ? undefined : cache?.get(digest, inHand)
    if (verified !== undefined) return this.#conclude(verified, as)

    const parsed = parseToken(token)
    if (isSignatureRemoved(token)) throw new IdTokenError('ID_TOKEN_SIGNATURE_REMOVED')
    const conclude = (): Caller => this.#verify(parsed, digest, as)
    if (inHand !== null) return this.#withKeyOf(parsed, as, conclude)
    return keys
      .ready()
      .then((fetched) => (fetched ? conclude() : this.#withKeyOf(parsed, as, conclude)))
  }

  /** The same where nobody can wait: what is missing is fetched for the next time. */
  judgeSync(token: string, as: JudgedAs): Caller {
    const verdict = this.judge(token, as)
    if (!(verdict instanceof Promise)) return verdict
    verdict.catch(() => undefined)
    throw this.#keyMissing('a key id that is being looked for')
  }

  /** Judges all but the signature, of a token whose signature the platform has checked and taken. */
  judgeWithoutSignature(token: string, as: JudgedAs): Caller {
    const { claims } = parseToken(token)
    const audience = this.#checkClaims(claims, as)
    return callerOf(claims, { audience, header: as.header, signatureVerified: false })
  }

  #find({ kid }: ParsedToken): VerificationKey | undefined {
    return kid === undefined ? undefined : this.#parts.keys.current()?.get(kid)
  }

  /**
   * Concludes with the keys in hand, or after a fetch that may bring a missing one. A key that
   * Google has just published is worth a fetch; a token that would be refused with any key is not,
   * or anyone could make us fetch at will.
   */
  #withKeyOf(parsed: ParsedToken, as: JudgedAs, conclude: () => Caller): Caller | Promise<Caller> {
    const { kid } = parsed
    if (this.#find(parsed) !== undefined || kid === undefined || !this.#wouldPass(parsed, as)) {
      return conclude()
    }
    return this.#parts.keys.refetch(kid)?.then(conclude) ?? conclude()
  }

  /** 401 only where it is known that there is no such key. */
  #keyMissing(found: string): IdTokenError {
    const { keys } = this.#parts
    const expected = [...(keys.current()?.keys() ?? [])]
    return keys.unavailable() ?? new IdTokenError('ID_TOKEN_KEY_UNKNOWN', { expected, found })
  }

  #wouldPass({ claims }: ParsedToken, as: JudgedAs): boolean {
    try {
      this.#checkClaims(claims, as)
      return true
    } catch {
      return false
    }
  }

  #verify(parsed: ParsedToken, digest: string | null, as: JudgedAs): Caller {
    const { kid, claims, signingInput, signature } = parsed
    const key = this.#find(parsed)
    if (key === undefined) throw this.#keyMissing(kid ?? 'no kid')
    if (!verifyRsaSha256(key.publicKey, signingInput, signature)) {
      throw new IdTokenError('ID_TOKEN_SIGNATURE_INVALID', { found: `kid ${key.kid}` })
    }
    const audience = this.#checkClaims(claims, as)
    const caller = callerOf(claims, { audience, header: as.header, signatureVerified: true })
    if (digest !== null) this.#parts.cache?.set(digest, { key, content: caller })
    return caller
  }

  #conclude(verified: VerifiedToken<Caller>, as: JudgedAs): Caller {
    const { header } = as
    const { claims } = verified.content
    const audience = this.#checkClaims(claims, as)
    if (verified.content.audience !== audience || verified.content.header !== header) {
      verified.content = callerOf(claims, { audience, header, signatureVerified: true })
    }
    return verified.content
  }

  #checkClaims(claims: ParsedToken['claims'], as: JudgedAs): string {
    return checkClaims(claims, this.#parts.rules, as.audiences, this.#parts.now() / 1000)
  }
}
