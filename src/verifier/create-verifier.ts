import type { IncomingMessage } from 'node:http'
import type { Caller } from '../caller/caller.ts'
import type { KeySet, KeySetStats } from '../keys/key-set.ts'
import { RemoteKeySet } from '../keys/remote-key-set.ts'
import { staticKeySet } from '../keys/static-key-set.ts'
import { steadyClock } from '../pacing/steady-clock.ts'
import {
  acceptPolicy,
  requireList,
  type AccessPolicy,
  type RoutePolicy,
} from '../options/access-policy.ts'
import {
  acceptVerifierOptions,
  type VerifierOptions,
  type VerifierSettings,
} from '../options/verifier-options.ts'
import type { RequestHeaders } from '../request/deciding-header.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { observeKeys } from '../telemetry/observe-keys.ts'
import { observeVerdicts } from '../telemetry/observe-verdicts.ts'
import { acceptToken } from '../token/parse-token.ts'
import { VerifiedTokenCache } from '../token/verified-token-cache.ts'
import { authenticate, type Authentication } from './authenticate.ts'
import {
  createDecide,
  decided,
  decidedSync,
  type Decide,
  type Settle,
  type Verdict,
} from './decide.ts'
import { explain, type Explanation } from './explain.ts'
import { TokenJudge, type JudgedAs } from './token-judge.ts'

/** What `stats()` tells. */
export interface VerifierStats {
  readonly keys: KeySetStats
  readonly tokenCache: { readonly size: number; readonly max: number }
}

/** Verifies Google-signed ID tokens: what the Fastify plugin and the Express middleware are made of. */
export interface Verifier {
  /**
   * Judges a token alone, whoever the caller.
   *
   * @throws IdTokenError
   */
  readonly verify: (token: string) => Promise<Caller>
  /**
   * The same at once. Without keys in hand it throws `ID_TOKEN_KEYS_UNAVAILABLE` and has them
   * fetched: `await ready()` first.
   *
   * @throws IdTokenError
   */
  readonly verifySync: (token: string) => Caller
  /**
   * Judges a request as a route does: its headers, the token, and whether the caller is allowed.
   *
   * @param policy - like `config.idToken` of a route; it is compiled once, so keep the object
   * rather than making one per request. Default: `allowedCallers` of the options
   * @returns the caller, or `null` where the policy is optional and the request brings no token
   * @throws IdTokenError, or TypeError where no list says who may call
   */
  readonly authenticate: (request: IncomingMessage, policy?: RoutePolicy) => Promise<Caller | null>
  /**
   * Tells check by check what becomes of a token that arrives in `Authorization`.
   *
   * @param policy - as for `authenticate`; where no list says who may call, the last check is not
   * reached
   */
  readonly explain: (token: string, policy?: RoutePolicy) => Promise<Explanation>
  /** Resolves when keys are in hand, and has them fetched where they are not. */
  readonly ready: () => Promise<void>
  readonly stats: () => VerifierStats
  /**
   * Ends any fetch that is under way: whoever waits for it is answered at once. Nothing is fetched
   * afterwards; tokens are still verified with the keys in hand.
   */
  readonly close: () => void
}

/** What the skins of the frameworks use: the verifier, and decisions without a promise. */
export interface VerifierCore {
  readonly verifier: Verifier
  readonly settings: VerifierSettings
  /** Judges a request; `settle` is called before it returns while keys are in hand. */
  readonly decideRequest: (
    request: RequestHeaders,
    policy: AccessPolicy,
    settle: Settle<Caller | null>,
  ) => void
}

/**
 * Makes a verifier that needs no framework.
 *
 * @throws TypeError naming the option that is wrong, its value and what is accepted
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return createVerifierCore(options).verifier
}

/** Makes a verifier together with what the skins need. */
export function createVerifierCore(options: VerifierOptions): VerifierCore {
  const settings = acceptVerifierOptions(options)
  const { rules, now, cacheSize, trustRemovedSignature } = settings
  if (trustRemovedSignature) settings.logger.warn({}, TRUST_WARNING)
  const metrics = createMetrics(settings.meter)
  const keys = createKeySet(settings, metrics)
  const cache = cacheSize === 0 ? null : new VerifiedTokenCache<Caller>(cacheSize)
  const judge = new TokenJudge({ rules, keys, cache, now })
  const decide = createDecide(observeVerdicts(metrics))
  const authentication = { judge, trustRemovedSignature }
  const verifier: Verifier = {
    ...tokenMethods(judge, decide, settings.defaultPolicy),
    ...requestMethods(authentication, decide, settings.defaultPolicy),
    ready: async () => {
      await keys.ready()
    },
    stats: () => ({ keys: keys.stats(), tokenCache: { size: cache?.size ?? 0, max: cacheSize } }),
    close: () => {
      keys.close()
    },
  }
  return {
    verifier,
    settings,
    decideRequest: (request, policy, settle) => {
      decide(() => authenticate(authentication, request, policy), settle)
    },
  }
}

const TRUST_WARNING =
  'trustRemovedSignature is on: whoever reaches this service past the IAM check of Cloud Run can claim to be any caller'

function createKeySet(settings: VerifierSettings, metrics: Metrics): KeySet {
  const { keys, fetch, now, logger, maxStale, keyStore, fetchTimeout: timeout } = settings
  if (typeof keys !== 'string') return staticKeySet(keys)
  const steadyNow = steadyClock(now)
  const events = observeKeys({ uri: keys, metrics, logger, steadyNow })
  return new RemoteKeySet({ uri: keys, fetch, maxStale, keyStore, events, now, steadyNow, timeout })
}

function tokenMethods(
  judge: TokenJudge,
  decide: Decide,
  { audiences }: AccessPolicy,
): Pick<Verifier, 'verify' | 'verifySync'> {
  const as: JudgedAs = { audiences, header: 'authorization' }
  return {
    verify: (token) => decided(decide, () => judge.judge(acceptToken(token), as)),
    verifySync: (token) => decidedSync(decide, () => judge.judgeSync(acceptToken(token), as)),
  }
}

function requestMethods(
  authentication: Authentication,
  decide: Decide,
  defaultPolicy: AccessPolicy,
): Pick<Verifier, 'authenticate' | 'explain'> {
  const unobserved = createDecide(() => undefined)
  const compiled = new WeakMap<RoutePolicy, AccessPolicy>()
  const compile = (policy: RoutePolicy | undefined): AccessPolicy => {
    if (policy === undefined) return defaultPolicy
    let access = compiled.get(policy)
    if (access === undefined) {
      access = acceptPolicy('policy', policy, defaultPolicy)
      compiled.set(policy, access)
    }
    return access
  }
  return {
    authenticate: async (request, policy) => {
      const access = requireList('policy.allowedCallers', compile(policy))
      return decided(decide, () => authenticate(authentication, request, access))
    },
    explain: async (token, policy) => {
      const access = compile(policy)
      const judgement = (): Verdict<Caller | null> | Promise<Verdict> => {
        const request = { headers: { authorization: `Bearer ${acceptToken(token)}` } }
        return authenticate(authentication, request, access)
      }
      const last = access.allowedCallers === null ? 'lifetime' : 'caller'
      return explain(() => decided(unobserved, judgement), last)
    },
  }
}
