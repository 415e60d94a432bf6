import type { VerifiedTokenCache } from '../cache/verified-token-cache.ts'
import { warnOfPlainHttp } from '../checks/secure-url.ts'
import type { KeySet } from '../keys/key-set.ts'
import { RemoteKeySet } from '../keys/remote-key-set.ts'
import { staticKeySet } from '../keys/static-key-set.ts'
import { steadyClock } from '../pacing/steady-clock.ts'
import type { Audiences } from '../policy/audiences.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { observeKeys } from '../telemetry/observe-keys.ts'
import type { TokenSettings } from './key-options.ts'
import type { VerifierSettings } from './verifier-options.ts'
import type { TokenKind } from './verify-request.ts'
import { TokenVerifier, type ValidatedCaller } from './verify-token.ts'

/** A kind of token with its keys. */
export interface KeyedTokenKind extends TokenKind {
  readonly keys: KeySet
  /** Ends fetches, and the measuring of the keys. */
  readonly close: () => void
}

/** The kinds of tokens that are accepted. */
export interface TokenKinds {
  readonly idTokens: KeyedTokenKind
  /** Those of IAP; `null` without the option `iap`. */
  readonly assertions: KeyedTokenKind | null
  /** All of them, in the order in which their headers decide. */
  readonly kinds: readonly KeyedTokenKind[]
}

/** What all kinds share. */
interface Shared {
  readonly cache: VerifiedTokenCache<ValidatedCaller> | null
  readonly metrics: Metrics
}

/** Makes the verifier of each kind of token that the options accept. */
export function createTokenKinds(settings: VerifierSettings, shared: Shared): TokenKinds {
  const kindOf = (
    token: TokenSettings,
    audiences: Audiences | null,
    uriOption: string,
  ): KeyedTokenKind => {
    const { profile, rules } = token
    const keys = createKeySet(token, settings, shared.metrics, uriOption)
    const { cache, metrics } = shared
    const tokens = new TokenVerifier({ profile, rules, keys, cache, metrics, now: settings.now })
    const stopMeasuring = metrics.keysAge(profile.source, () => keys.stats().ageSeconds)
    const close = (): void => {
      stopMeasuring()
      keys.close()
    }
    return { profile, audiences, keys, tokens, close }
  }
  const { iap } = settings
  const idTokens = kindOf(settings, null, 'jwksUri')
  const assertions = iap && kindOf(iap, iap.audiences, 'iap.jwksUri')
  // Behind IAP, callers may add an ID token. The assertion of IAP identifies them, so it decides.
  return { idTokens, assertions, kinds: assertions ? [assertions, idTokens] : [idTokens] }
}

function createKeySet(
  { keys, keyStore, profile }: TokenSettings,
  { fetch, now, logger, maxStale, fetchTimeout: timeout }: VerifierSettings,
  metrics: Metrics,
  uriOption: string,
): KeySet {
  if (typeof keys !== 'string') return staticKeySet(keys)
  warnOfPlainHttp(logger, { option: uriOption, url: keys, exposed: 'the keys of Google' })
  const steadyNow = steadyClock(now)
  const events = observeKeys({ uri: keys, source: profile.source, metrics, logger, steadyNow })
  const { algorithm } = profile
  return new RemoteKeySet({
    uri: keys,
    algorithm,
    fetch,
    maxStale,
    keyStore,
    events,
    now,
    steadyNow,
    timeout,
  })
}
