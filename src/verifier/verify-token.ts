import { callerOf, type Caller } from '../policy/caller.ts'
import type { Keys, KeySet, VerificationKey } from '../keys/key-set.ts'
import { verifyRsaSha256 } from '../keys/rsa-sha256.ts'
import type { Audiences } from '../policy/audiences.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import { isSignatureRemoved } from '../request/removed-signature.ts'
import { evidenceOf, type IdTokenClaims } from '../token/claims.ts'
import { judgeClaims, type BrokenRule, type ClaimRules } from './validate-claims.ts'
import { parseToken, rememberHeader, type ParsedToken } from '../token/parse-token.ts'
import type { VerifiedToken, VerifiedTokenCache } from '../cache/verified-token-cache.ts'
import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import type { Verdict } from './decide.ts'

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

  judge(token: string, as: JudgedAs): Verdict | Promise<Verdict> {
    return this.#judge(token, as, true)
  }

  #judge(token: string, as: JudgedAs, waits: boolean): Verdict | Promise<Verdict> {
    const { cache, keys } = this.#parts
    const inHand = keys.current()
    const verified = inHand === null ? undefined : cache?.get(token, inHand)
    if (verified !== undefined) return this.#judgeAgain(verified, as)

    const parsed = parseToken(token)
    if (parsed instanceof IdTokenError) return parsed
    if (isSignatureRemoved(token)) {
      return refusal('ID_TOKEN_SIGNATURE_REMOVED', { evidence: () => evidenceOf(parsed.claims) })
    }
    const judged = { token, parsed, as, waits }
    if (inHand !== null) return this.#judgeOrRefetch(judged, inHand)
    return keys
      .ready()
      .then((fetched) =>
        fetched ? this.#judgeNow(judged) : this.#judgeOrRefetch(judged, keys.current()),
      )
  }

  /** The same where nobody can wait: what is missing is fetched for the next time. */
  judgeSync(token: string, as: JudgedAs): Verdict {
    const verdict = this.#judge(token, as, false)
    if (!(verdict instanceof Promise)) return verdict
    verdict.catch(() => undefined)
    return this.#keyMissing('a kid that is being looked for')
  }

  /** Judges all but the signature, of a token whose signature the platform has checked and taken. */
  judgeWithoutSignature(token: string, as: JudgedAs): Verdict {
    const parsed = parseToken(token)
    if (parsed instanceof IdTokenError) return parsed
    const { claims } = parsed
    const audience = this.#judgeClaims(claims, as)
    if (typeof audience !== 'string') return brokenRule(audience, claims, false)
    return callerOf(claims, { audience, header: as.header, signatureVerified: false })
  }

  /**
   * Judges with the keys in hand, or after a fetch that may bring a missing one. A key that Google
   * has just published is worth a fetch; a token that would be refused with any key is not, or
   * anyone could make us fetch at will.
   */
  #judgeOrRefetch(judged: Judged, inHand: Keys | null): Verdict | Promise<Verdict> {
    const { kid, claims } = judged.parsed
    const key = inHand?.get(kid)
    if (key !== undefined) return this.#judgeWith(key, judged)
    const worthIt = kid !== '' && typeof this.#judgeClaims(claims, judged.as) === 'string'
    const refetch = worthIt ? this.#parts.keys.refetch(kid) : null
    if (refetch === null || !judged.waits)
      return this.#keyMissing(judged.parsed.kid, judged.parsed.claims)
    return refetch.then(() => this.#judgeNow(judged))
  }

  /** Judges with the keys in hand, whatever they are. */
  #judgeNow(judged: Judged): Verdict {
    const { kid, claims } = judged.parsed
    const key = this.#parts.keys.current()?.get(kid)
    return key === undefined ? this.#keyMissing(kid, claims) : this.#judgeWith(key, judged)
  }

  #judgeWith(key: VerificationKey, { token, parsed, as }: Judged): Verdict {
    const { claims, signingInput, signature } = parsed
    if (!verifyRsaSha256(key.publicKey, signingInput, signature)) {
      return refusal('ID_TOKEN_SIGNATURE_INVALID', { found: () => `kid ${key.kid}` })
    }
    rememberHeader(parsed)
    const audience = this.#judgeClaims(claims, as)
    if (typeof audience !== 'string') return brokenRule(audience, claims, true)
    const caller = callerOf(claims, { audience, header: as.header, signatureVerified: true })
    this.#parts.cache?.set(token, { key, content: caller })
    return caller
  }

  /** For a token whose signature was verified before; its claims are judged every time. */
  #judgeAgain(verified: VerifiedToken<Caller>, as: JudgedAs): Verdict {
    const { header } = as
    const { claims } = verified.content
    const audience = this.#judgeClaims(claims, as)
    if (typeof audience !== 'string') return brokenRule(audience, claims, true)
    if (verified.content.audience !== audience || verified.content.header !== header) {
      verified.content = callerOf(claims, { audience, header, signatureVerified: true })
    }
    return verified.content
  }

  #judgeClaims(claims: IdTokenClaims, { audiences }: JudgedAs): string | BrokenRule {
    const seconds = Math.floor(this.#parts.now() / 1000)
    return judgeClaims(claims, this.#parts.rules, audiences, seconds)
  }

  /** 401 only where it is known that there is no such key. */
  #keyMissing(kid: string, claims?: IdTokenClaims): IdTokenError {
    const { keys } = this.#parts
    // Where there are none, they are unavailable.
    const inHand = keys.current() as Keys
    return (
      keys.unavailable() ??
      refusal('ID_TOKEN_KEY_UNKNOWN', {
        expected: () => [...inHand.keys()],
        found: kid === '' ? 'no kid' : kid,
        ...(claims && { evidence: () => evidenceOf(claims, keys.stats().state === 'static') }),
      })
    )
  }
}

function brokenRule(
  { code, expected, found }: BrokenRule,
  claims: IdTokenClaims,
  signatureVerified: boolean,
): IdTokenError {
  return refusal(code, {
    expected,
    found,
    // What is not verified is not named as the caller.
    caller: signatureVerified ? accountOf(claims) : undefined,
    evidence: () => evidenceOf(claims),
  })
}

function accountOf({ email, email_verified: emailVerified, sub }: IdTokenClaims): string {
  return (emailVerified === true ? email : undefined) ?? sub
}

/** A token on its way. */
interface Judged {
  readonly token: string
  readonly parsed: ParsedToken
  readonly as: JudgedAs
  /** Whether a fetch of keys is waited for. */
  readonly waits: boolean
}
