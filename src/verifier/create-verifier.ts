import type { Caller } from '../policy/caller.ts'
import type { KeySet, KeySetStats } from '../keys/key-set.ts'
import { RemoteKeySet } from '../keys/remote-key-set.ts'
import { staticKeySet } from '../keys/static-key-set.ts'
import { steadyClock } from '../pacing/steady-clock.ts'
import {
  acceptPolicy,
  requireList,
  type AccessPolicy,
  type RoutePolicy,
} from '../policy/access-policy.ts'
import { warnAboutHosts } from '../policy/audiences.ts'
import { warnAtStart } from '../checks/injected.ts'
import { warnOfPlainHttp } from '../checks/secure-url.ts'
import {
  acceptVerifierOptions,
  type VerifierOptions,
  type VerifierSettings,
} from './verifier-options.ts'
import { requestHeadersOf, type RequestHeaders, type RequestLike } from '../request/request-like.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { observeKeys } from '../telemetry/observe-keys.ts'
import { observeVerdicts } from '../telemetry/observe-outcomes.ts'
import { acceptToken } from '../token/parse-token.ts'
import { VerifiedTokenCache } from '../cache/verified-token-cache.ts'
import { admitted, authenticate, type Authentication } from './verify-request.ts'
import {
  createDecide,
  decided,
  decidedSync,
  type Decide,
  type Settle,
  type Verdict,
} from './decide.ts'
import { explain, type Explanation } from './explain.ts'
import { TokenJudge, type JudgedAs } from './verify-token.ts'

/** What `stats()` tells. */
export interface VerifierStats {
  readonly keys: KeySetStats
  readonly tokenCache: { readonly size: number; readonly max: number }
}

/** Verifies Google-signed ID tokens: what the Fastify plugin and the Express middleware are made of. */
export interface Verifier {
  /**
   * Verifies a token that comes by another way than a request's headers (a websocket message, a
   * queue), as a route does: the token, and whether its caller is in the list.
   *
   * @param policy - like `config.idToken` of a route; it is compiled once, so keep the object
   * rather than making one per token. Default: `allowedCallers` of the options
   * @throws IdTokenError, or TypeError where no list says who may call
   */
  readonly verify: (token: string, policy?: RoutePolicy) => Promise<Caller>
  /**
   * The same at once. Without current keys it throws `ID_TOKEN_KEYS_UNAVAILABLE` and has them
   * fetched: `await ready()` first.
   *
   * @throws IdTokenError, or TypeError where no list says who may call
   */
  readonly verifySync: (token: string, policy?: RoutePolicy) => Caller
  /**
   * Verifies a token whoever its caller: every Google customer can have such a token made for your
   * audience. For code that decides by `email` or `subject` itself.
   *
   * @throws IdTokenError
   */
  readonly verifyAnyCaller: (token: string) => Promise<Caller>
  /**
   * The same at once; see `verifySync`.
   *
   * @throws IdTokenError
   */
  readonly verifyAnyCallerSync: (token: string) => Caller
  /**
   * Verifies a request as a route does: its headers, the token, and whether the caller is allowed.
   *
   * @param request - anything with headers: an `http.IncomingMessage`, HTTP/2's, a WHATWG `Request`,
   * a request of a framework that holds one of them in `raw`, or `{ headers }`. Pass Node's own
   * where there is one: only its raw headers show each header that was sent twice
   * @param policy - as for `verify`
   * @returns the caller, or `null` where the policy is optional and the request brings no token
   * @throws IdTokenError, or TypeError where no list says who may call, or the request has no headers
   */
  readonly authenticate: (request: RequestLike, policy?: RoutePolicy) => Promise<Caller | null>
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
  const { rules, now, cacheSize, trustRemovedSignature, realm, defaultPolicy } = settings
  if (trustRemovedSignature) warnAtStart(settings.logger, TRUST_WARNING)
  warnAboutHosts(settings.defaultPolicy.audiences.configured, settings.logger)
  const metrics = createMetrics(settings.meter)
  const keys = createKeySet(settings, metrics)
  const cache = cacheSize === 0 ? null : new VerifiedTokenCache<Caller>(cacheSize)
  const judge = new TokenJudge({ rules, keys, cache, now })
  const decide = createDecide(observeVerdicts(metrics), realm)
  const authentication = { judge, trustRemovedSignature }
  const compile = policyCompiler(defaultPolicy)
  const verifier: Verifier = {
    ...tokenMethods(judge, decide, compile),
    ...anyCallerMethods(judge, decide, defaultPolicy),
    authenticate: async (request, policy) => {
      const access = requireList('policy.allowedCallers', compile(policy))
      const headers = requestHeadersOf(request)
      return decided(decide, () => authenticate(authentication, headers, access))
    },
    explain: explainMethod(authentication, compile, realm),
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
  warnOfPlainHttp(logger, { option: 'jwksUri', url: keys, exposed: 'the keys of Google' })
  const steadyNow = steadyClock(now)
  const events = observeKeys({ uri: keys, metrics, logger, steadyNow })
  return new RemoteKeySet({ uri: keys, fetch, maxStale, keyStore, events, now, steadyNow, timeout })
}

/** Compiles policies over the default one, each object once. */
type CompilePolicy = (policy: RoutePolicy | undefined) => AccessPolicy

function policyCompiler(defaultPolicy: AccessPolicy): CompilePolicy {
  const compiled = new WeakMap<RoutePolicy, AccessPolicy>()
  return (policy) => {
    if (policy === undefined) return defaultPolicy
    let access = compiled.get(policy)
    if (access === undefined) {
      access = acceptPolicy('policy', policy, defaultPolicy)
      compiled.set(policy, access)
    }
    return access
  }
}

function tokenMethods(
  judge: TokenJudge,
  decide: Decide,
  compile: CompilePolicy,
): Pick<Verifier, 'verify' | 'verifySync'> {
  const listed = (policy: RoutePolicy | undefined): AccessPolicy =>
    requireList('policy.allowedCallers', compile(policy))
  return {
    verify: async (token, policy) => {
      const access = listed(policy)
      return decided(decide, () => {
        const verdict = judge.judge(acceptToken(token), judgedAlone(access))
        return verdict instanceof Promise
          ? verdict.then((late) => admitted(late, access))
          : admitted(verdict, access)
      })
    },
    verifySync: (token, policy) => {
      const access = listed(policy)
      return decidedSync(decide, () =>
        admitted(judge.judgeSync(acceptToken(token), judgedAlone(access)), access),
      )
    },
  }
}

function anyCallerMethods(
  judge: TokenJudge,
  decide: Decide,
  defaultPolicy: AccessPolicy,
): Pick<Verifier, 'verifyAnyCaller' | 'verifyAnyCallerSync'> {
  const as = judgedAlone(defaultPolicy)
  return {
    verifyAnyCaller: (token) => decided(decide, () => judge.judge(acceptToken(token), as)),
    verifyAnyCallerSync: (token) =>
      decidedSync(decide, () => judge.judgeSync(acceptToken(token), as)),
  }
}

/** A token without a request counts as one in `Authorization`. */
function judgedAlone({ audiences }: AccessPolicy): JudgedAs {
  return { audiences, header: 'authorization' }
}

function explainMethod(
  authentication: Authentication,
  compile: CompilePolicy,
  realm: string,
): Verifier['explain'] {
  const unobserved = createDecide(() => undefined, realm)
  return async (token, policy) => {
    const access = compile(policy)
    const judgement = (): Verdict<Caller | null> | Promise<Verdict> => {
      const request = { headers: { authorization: `Bearer ${acceptToken(token)}` } }
      return authenticate(authentication, request, access)
    }
    const last = access.allowedCallers === null ? 'lifetime' : 'caller'
    return explain(() => decided(unobserved, judgement), last)
  }
}
