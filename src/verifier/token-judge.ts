import { callerOf, type Caller } from '../caller/caller.ts'
import type { Keys, KeySet, VerificationKey } from '../keys/key-set.ts'
import { verifyRsaSha256 } from '../keys/rsa-sha256.ts'
import type { Audiences } from '../options/audiences.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import { isSignatureRemoved } from '../request/removed-signature.ts'
import type { IdTokenClaims } from '../token/claims.ts'
import { judgeClaims, type BrokenRule, type ClaimRules } from '../token/judge-claims.ts'
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
    if (verified !== undefined) return this.#callerAgain(verified, as)

    const parsed = parseToken(token)
    if (isSignatureRemoved(token)) throw new IdTokenError('ID_TOKEN_SIGNATURE_REMOVED')
    const judged = { parsed, digest, as }
    if (inHand !== null) return this.#judgeOrRefetch(judged, inHand)
    return keys
      .ready()
      .then((fetched) =>
        fetched ? this.#judgeNow(judged) : this.#judgeOrRefetch(judged, keys.current()),
      )
  }

  /** The same where nobody can wait: what is missing is fetched for the next time. */
  judgeSync(token: string, as: JudgedAs): Caller {
    const verdict = this.judge(token, as)
    if (!(verdict instanceof Promise)) return verdict
    verdict.catch(() => undefined)
    throw this.#keyMissing('a kid that is being looked for')
  }

  /** Judges all but the signature, of a token whose signature the platform has checked and taken. */
  judgeWithoutSignature(token: string, as: JudgedAs): Caller {
    const { claims } = parseToken(token)
    const audience = this.#acceptClaims(claims, as)
    return callerOf(claims, { audience, header: as.header, signatureVerified: false })
  }

  /**
   * Judges with the keys in hand, or after a fetch that may bring a missing one. A key that Google
   * has just published is worth a fetch; a token that would be refused with any key is not, or
   * anyone could make us fetch at will.
   */
  #judgeOrRefetch(judged: Judged, inHand: Keys | null): Caller | Promise<Caller> {
    const { kid, claims } = judged.parsed
    const key = inHand?.get(kid)
    if (key !== undefined) return this.#judgeWith(key, judged)
    const worthIt = kid !== '' && typeof this.#judgeClaims(claims, judged.as) === 'string'
    const refetch = worthIt ? this.#parts.keys.refetch(kid) : null
    return refetch === null ? this.#judgeNow(judged) : refetch.then(() => this.#judgeNow(judged))
  }

  /** Judges with the keys in hand, whatever they are. */
  #judgeNow(judged: Judged): Caller {
    const { kid } = judged.parsed
    const key = this.#parts.keys.current()?.get(kid)
    if (key === undefined) throw this.#keyMissing(kid)
    return this.#judgeWith(key, judged)
  }

  #judgeWith(key: VerificationKey, { parsed, digest, as }: Judged): Caller {
    const { claims, signingInput, signature } = parsed
    if (!verifyRsaSha256(key.publicKey, signingInput, signature)) {
      throw new IdTokenError('ID_TOKEN_SIGNATURE_INVALID', { found: `kid ${key.kid}` })
    }
    const audience = this.#acceptClaims(claims, as)
    const caller = callerOf(claims, { audience, header: as.header, signatureVerified: true })
    if (digest !== null) this.#parts.cache?.set(digest, { key, content: caller })
    return caller
  }

  /** The caller of a token that was verified before; its claims are judged every time. */
  #callerAgain(verified: VerifiedToken<Caller>, { audiences, header }: JudgedAs): Caller {
    const { claims } = verified.content
    const audience = this.#acceptClaims(claims, { audiences, header })
    if (verified.content.audience !== audience || verified.content.header !== header) {
      verified.content = callerOf(claims, { audience, header, signatureVerified: true })
    }
    return verified.content
  }

  #acceptClaims(claims: IdTokenClaims, as: JudgedAs): string {
    const verdict = this.#judgeClaims(claims, as)
    if (typeof verdict !== 'string') throw new IdTokenError(verdict.code, verdict)
    return verdict
  }

  #judgeClaims(claims: IdTokenClaims, { audiences }: JudgedAs): string | BrokenRule {
    const seconds = Math.floor(this.#parts.now() / 1000)
    return judgeClaims(claims, this.#parts.rules, audiences, seconds)
  }

  /** 401 only where it is known that there is no such key. */
  #keyMissing(kid: string): IdTokenError {
    const { keys } = this.#parts
    const expected = [...(keys.current()?.keys() ?? [])]
    const found = kid === '' ? 'no kid' : kid
    return keys.unavailable() ?? new IdTokenError('ID_TOKEN_KEY_UNKNOWN', { expected, found })
  }
}

/** A token on its way. */
interface Judged {
  readonly parsed: ParsedToken
  /** Under which it is remembered; `null` for one that is not. */
  readonly digest: string | null
  readonly as: JudgedAs
}
