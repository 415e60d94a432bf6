import { callerOf, type Caller, type Verified } from '../policy/caller.ts'
import type { TokenProfile } from '../profiles/token-profile.ts'
import type { Keys, KeySet, VerificationKey } from '../keys/key-set.ts'
import type { Audiences } from '../policy/audiences.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import { isSignatureRemoved } from '../request/removed-signature.ts'
import { forgetSignature } from '../token/base64url.ts'
import { evidenceOf, type IdTokenClaims } from '../token/claims.ts'
import {
  validateClaims,
  validateTimes,
  type BrokenRule,
  type ClaimRules,
} from './validate-claims.ts'
import { parseToken, rememberHeader, typeRefusal, type ParsedToken } from '../token/parse-token.ts'
import type { VerifiedToken, VerifiedTokenCache } from '../cache/verified-token-cache.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import type { Eventual, Outcome } from './outcome.ts'

/** The audiences that a token is verified for, and the header in which it was found. */
export interface Expected {
  readonly audiences: Audiences
  readonly header: TokenHeader
}

/** What tokens are verified with. */
export interface TokenVerifierParts {
  readonly profile: TokenProfile
  readonly rules: ClaimRules
  readonly keys: KeySet
  /** `null`: nothing is remembered. */
  readonly cache: VerifiedTokenCache<ValidatedCaller> | null
  readonly metrics?: Pick<Metrics, 'cacheHit'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * Verifies a token, but not who may call: shape, algorithm, key, signature, then the claims. While
 * keys are current, the outcome is returned directly. If keys must be fetched first, it is a
 * promise.
 */
export class TokenVerifier {
  readonly #parts: TokenVerifierParts

  constructor(parts: TokenVerifierParts) {
    this.#parts = parts
  }

  verify(token: string, expected: Expected): Eventual<Outcome> {
    return this.#verify(token, expected, true)
  }

  #verify(token: string, expected: Expected, waits: boolean): Eventual<Outcome> {
    const { cache, keys } = this.#parts
    const wrongType = typeRefusal(token)
    if (wrongType !== null) return wrongType
    // All checks use the same time; and reading the clock costs as much as a check.
    const now = this.#parts.now()
    const current = keys.current(now)
    const verified = current === null ? undefined : cache?.get(token, current)
    if (verified !== undefined) {
      this.#parts.metrics?.cacheHit()
      return this.#validateAgain(verified, expected, now)
    }

    const parsed = parseToken(token, this.#parts.profile)
    const outcome =
      parsed instanceof IdTokenError
        ? parsed
        : this.#verifyParsed({ token, parsed, expected, waits, now }, current)
    // Verifying forgets the signature too, also after a wait. But a token that is refused before that
    // may be good for another service.
    forgetSignature()
    return outcome
  }

  /** The same without waiting: if keys are missing, they are fetched for the next call. */
  verifySync(token: string, expected: Expected): Outcome {
    const outcome = this.#verify(token, expected, false)
    if (!(outcome instanceof Promise)) return outcome
    outcome.catch(() => undefined)
    const now = this.#parts.now()
    return this.#keyMissing(this.#parts.keys.current(now), now, 'a key that is being fetched')
  }

  /** Verifies everything except the signature, which Cloud Run has checked and removed. */
  verifyWithoutSignature(token: string, expected: Expected): Outcome {
    const parsed = parseToken(token, this.#parts.profile)
    if (parsed instanceof IdTokenError) return parsed
    const { claims } = parsed
    const audience = this.#validateClaims(claims, expected, this.#parts.now())
    if (typeof audience !== 'string') return this.#brokenRule(audience, claims, false)
    return this.#callerOf(claims, {
      audience,
      header: expected.header,
      signatureVerified: false,
    })
  }

  #verifyParsed(pending: PendingToken, current: Keys | null): Eventual<Outcome> {
    const { keys, profile } = this.#parts
    const { claims } = pending.parsed
    if (profile.presentation.checkedByCloudRun && isSignatureRemoved(pending.token)) {
      return refusal('ID_TOKEN_SIGNATURE_REMOVED', {
        evidence: () => evidenceOf(claims, profile.source),
      })
    }
    if (current !== null) return this.#verifyOrRefetch(pending, current)
    return keys.ready().then((ready) => {
      if (ready instanceof IdTokenError) return ready
      if (ready.fetched) return this.#verifyAfterWait(pending)
      const later = this.#parts.now()
      return this.#verifyOrRefetch({ ...pending, now: later }, keys.current(later))
    })
  }

  /**
   * Verifies with the current keys, or after a fetch that may bring a missing one. A token with a
   * key that Google may have just published causes a fetch. A token that would be refused with any
   * key does not: otherwise anyone could cause fetches.
   */
  #verifyOrRefetch(pending: PendingToken, current: Keys | null): Eventual<Outcome> {
    const { expected, now, waits } = pending
    const { kid, claims } = pending.parsed
    const key = current?.get(kid)
    if (key !== undefined) return this.#verifyWith(key, pending)
    const worthIt = kid !== '' && typeof this.#validateClaims(claims, expected, now) === 'string'
    const refetch = worthIt ? this.#parts.keys.refetch(kid, now, waits) : null
    if (refetch === null || !waits) return this.#keyMissing(current, now, kid, claims)
    return refetch.then(() => this.#verifyAfterWait(pending))
  }

  /** Verifies with the keys that are current after a fetch, and causes no other one. */
  #verifyAfterWait(pending: PendingToken): Outcome {
    const { kid, claims } = pending.parsed
    const now = this.#parts.now()
    const current = this.#parts.keys.current(now)
    const key = current?.get(kid)
    return key === undefined
      ? this.#keyMissing(current, now, kid, claims)
      : this.#verifyWith(key, { ...pending, now })
  }

  #verifyWith(key: VerificationKey, { token, parsed, expected, now }: PendingToken): Outcome {
    const { claims, signingInput, signature } = parsed
    if (!key.algorithm.verify(key.publicKey, signingInput, signature)) {
      return refusal('ID_TOKEN_SIGNATURE_INVALID', { found: () => `kid ${key.kid}` })
    }
    rememberHeader(parsed)
    const audience = this.#validateClaims(claims, expected, now)
    if (typeof audience !== 'string') return this.#brokenRule(audience, claims, true)
    const caller = this.#callerOf(claims, {
      audience,
      header: expected.header,
      signatureVerified: true,
    })
    this.#parts.cache?.set(token, { key, content: { caller, audiences: expected.audiences } })
    return caller
  }

  /**
   * For a token whose signature was verified before. Its times are validated every time. Its issuer
   * and its audience are validated again only if the list of audiences or the header is not that of
   * the last time.
   */
  #validateAgain(
    verified: VerifiedToken<ValidatedCaller>,
    expected: Expected,
    now: number,
  ): Outcome {
    const { audiences, header } = expected
    const { caller } = verified.content
    const { claims } = caller
    if (verified.content.audiences === audiences && caller.header === header) {
      const broken = validateTimes(claims, this.#parts.rules, inSeconds(now))
      return broken === null ? caller : this.#brokenRule(broken, claims, true)
    }
    const audience = this.#validateClaims(claims, expected, now)
    if (typeof audience !== 'string') return this.#brokenRule(audience, claims, true)
    const isSame = caller.audience === audience && caller.header === header
    const again = isSame
      ? caller
      : this.#callerOf(claims, { audience, header, signatureVerified: true })
    verified.content = { caller: again, audiences }
    return again
  }

  #callerOf(
    claims: IdTokenClaims,
    {
      audience,
      header,
      signatureVerified,
    }: Pick<Verified, 'audience' | 'header' | 'signatureVerified'>,
  ): Caller {
    const { source, accountOf } = this.#parts.profile
    const { email, subject } = accountOf(claims)
    return callerOf(claims, { email, subject, audience, header, signatureVerified, source })
  }

  #validateClaims(
    claims: IdTokenClaims,
    { audiences }: Expected,
    now: number,
  ): string | BrokenRule {
    return validateClaims(claims, this.#parts.rules, audiences, inSeconds(now))
  }

  /** 401 only if the newest key set does not have the key; if that is not known, 503. */
  #keyMissing(
    current: Keys | null,
    now: number,
    kid: string,
    claims?: IdTokenClaims,
  ): IdTokenError {
    const { keys, profile } = this.#parts
    return (
      keys.unavailable(now) ??
      refusal('ID_TOKEN_KEY_UNKNOWN', {
        // Without current keys, `unavailable()` is never `null`.
        expected: () => [...(current as Keys).keys()],
        found: kid === '' ? 'no kid' : kid,
        evidence:
          claims && (() => evidenceOf(claims, profile.source, keys.stats().state === 'static')),
      })
    )
  }

  #brokenRule(
    { code, expected, found }: BrokenRule,
    claims: IdTokenClaims,
    signatureVerified: boolean,
  ): IdTokenError {
    const { source, accountOf } = this.#parts.profile
    const { email, subject } = accountOf(claims)
    return refusal(code, {
      expected,
      found,
      // Without a verified signature, the log names no caller.
      caller: signatureVerified ? (email ?? subject) : undefined,
      account: signatureVerified ? { email, subject } : undefined,
      evidence: () => evidenceOf(claims, source),
    })
  }
}

/** A caller, and the audiences that its token was validated for. */
export interface ValidatedCaller {
  readonly caller: Caller
  readonly audiences: Audiences
}

/** @param now - milliseconds since the epoch */
function inSeconds(now: number): number {
  return Math.floor(now / 1000)
}

/** A token between two checks. */
interface PendingToken {
  readonly token: string
  readonly parsed: ParsedToken
  readonly expected: Expected
  /** Whether the verification waits for a fetch of keys. */
  readonly waits: boolean
  /** When the verification began, or went on after a fetch: milliseconds since the epoch. */
  readonly now: number
}
