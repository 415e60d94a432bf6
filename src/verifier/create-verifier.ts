import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import type { KeySetStats } from '../keys/key-set.ts'
import {
  parsePolicy,
  requireList,
  type AccessPolicy,
  type RoutePolicy,
} from '../policy/access-policy.ts'
import { warnAboutHosts } from '../policy/audiences.ts'
import { warnAtStart } from '../checks/injected.ts'
import {
  parseVerifierOptions,
  type VerifierOptions,
  type VerifierSettings,
} from './verifier-options.ts'
import { decidingHeaderName, type TokenHeader } from '../request/deciding-header.ts'
import { requestHeadersOf, type RequestHeaders, type RequestLike } from '../request/request-like.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { observeOutcomes } from '../telemetry/observe-outcomes.ts'
import { typeRefusal } from '../token/parse-token.ts'
import { VerifiedTokenCache } from '../cache/verified-token-cache.ts'
import { explain, type Explanation } from './explain.ts'
import { acceptedOrThrow, whenKnown, type Eventual, type Outcome } from './outcome.ts'
import { createTokenKinds } from './create-token-verifiers.ts'
import { createReported, type Reported } from './report-outcome.ts'
import { ifListed, verifyRequest, type RequestVerification } from './verify-request.ts'
import type { Expected, TokenVerifier, ValidatedCaller } from './verify-token.ts'

/** What `stats()` returns. */
export interface VerifierStats {
  /** The state of the keys. */
  readonly keys: KeySetStats
  /** The keys of IAP, if the option `iap` is given. */
  readonly iapKeys?: KeySetStats
  /** How full the cache of verified tokens is. */
  readonly tokenCache: {
    /** Tokens that are remembered now. */
    readonly size: number
    /** Tokens that are remembered at most; 0 with `tokenCache: false`. */
    readonly max: number
  }
}

/** Verifies Google-signed ID tokens. The Fastify plugin and the Express middleware use it. */
export interface Verifier {
  /**
   * Verifies a token that did not come in a request's headers (a websocket message, a queue), as a
   * route does: the token, and whether its caller is in the list. An assertion of IAP counts only in
   * its header.
   *
   * @param policy - like `config.idToken` of a route; it is compiled once, so keep the object
   * rather than making one per token. Default: `allowedCallers` of the options
   * @throws IdTokenError, or TypeError where no list says who may call
   */
  readonly verify: (token: string, policy?: RoutePolicy) => Promise<Caller>
  /**
   * The same, synchronously. Without current keys it throws `ID_TOKEN_KEYS_UNAVAILABLE` and starts
   * a fetch of keys, so `await ready()` first.
   *
   * @throws IdTokenError, or TypeError where no list says who may call
   */
  readonly verifySync: (token: string, policy?: RoutePolicy) => Caller
  /**
   * Verifies the token and accepts any caller: every Google customer can get such a token for your
   * audience. For code that checks `email` or `subject` itself.
   *
   * @throws IdTokenError
   */
  readonly verifyAnyCaller: (token: string) => Promise<Caller>
  /**
   * The same, synchronously; see `verifySync`.
   *
   * @throws IdTokenError
   */
  readonly verifyAnyCallerSync: (token: string) => Caller
  /**
   * Verifies a request as a route does: its headers, the token, and whether the caller is allowed.
   *
   * @param request - anything with headers: an `http.IncomingMessage`, HTTP/2's, a WHATWG
   * `Request`, a request of a framework that holds one of them in `raw`, or `{ headers }`. Pass
   * Node's own request if there is one: only its raw headers show that a header was sent twice
   * @param policy - as for `verify`
   * @returns the caller, or `null` if the policy is optional and the request has no token
   * @throws IdTokenError, or TypeError where no list says who may call, or the request has no
   * headers
   */
  readonly authenticate: (request: RequestLike, policy?: RoutePolicy) => Promise<Caller | null>
  /**
   * Shows the result of every check of a token that arrives in `Authorization`, or of a request.
   *
   * @param tokenOrRequest - a token, or anything with headers as for `authenticate`: for an assertion
   * of IAP, `{ headers: { 'x-goog-iap-jwt-assertion': assertion } }`
   * @param policy - as for `authenticate`; without a list of callers, the last check is not reached
   */
  readonly explain: (
    tokenOrRequest: string | RequestLike,
    policy?: RoutePolicy,
  ) => Promise<Explanation>
  /** Resolves when there are current keys for every kind of token; fetches those that are missing. */
  readonly ready: () => Promise<void>
  /** The state of the keys, and how full the cache of tokens is. */
  readonly stats: () => VerifierStats
  /**
   * Ends any fetch in progress: requests that wait for it are answered at once. Nothing is fetched
   * afterwards; tokens are still verified with the current keys.
   */
  readonly close: () => void
}

/**
 * What adapters use: the verifier, and a function that returns outcomes synchronously while keys
 * are current.
 */
export interface VerifierCore {
  readonly verifier: Verifier
  readonly settings: VerifierSettings
  /** The header that decides about a request, for logs; `null` where there is none. */
  readonly decidingHeaderOf: (request: RequestHeaders) => TokenHeader | null
  readonly verifyRequest: (
    request: RequestHeaders,
    policy: AccessPolicy,
    /** The route as it was declared, for metrics; `undefined` if it is not known. */
    route?: string,
  ) => Eventual<Outcome<Caller | null>>
}

/**
 * Makes a verifier that needs no framework.
 *
 * `allowedCallers` may be missing here, because each call of `authenticate` and `verify` may bring a
 * list of its own. A call without any list throws a `TypeError`: at the first request, and not here.
 *
 * @throws TypeError naming the option that is wrong, its value and what is accepted
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return createVerifierCore(options).verifier
}

/** Makes a verifier together with what adapters need. */
export function createVerifierCore(options: VerifierOptions): VerifierCore {
  const settings = parseVerifierOptions(options)
  const { cacheSize, realm, defaultPolicy, twinHeader, trustRemovedSignature } = settings
  if (trustRemovedSignature) warnAtStart(settings.logger, TRUST_WARNING)
  warnAboutHosts(defaultPolicy.audiences.configured, settings.logger)
  const metrics = createMetrics(settings.meter)
  // One cache for all kinds of tokens: an entry is used only with the key that verified it.
  const cache = cacheSize === 0 ? null : new VerifiedTokenCache<ValidatedCaller>(cacheSize)
  const { idTokens, assertions, kinds } = createTokenKinds(settings, { cache, metrics })
  const { tokens } = idTokens
  const verification = { kinds, twinHeader, trustRemovedSignature }
  const reported = createReported(observeOutcomes(metrics), realm)
  const compile = policyCompiler(defaultPolicy)
  const verifyReported: VerifierCore['verifyRequest'] = (request, policy, route) =>
    reported(() => verifyRequest(verification, request, policy), {
      route,
      enforced: !policy.reportOnly,
    })
  const verifier: Verifier = {
    ...tokenMethods(tokens, reported, compile),
    ...anyCallerMethods(tokens, reported, defaultPolicy),
    authenticate: async (request, policy) => {
      const access = requireList('policy.allowedCallers', compile(policy))
      return acceptedOrThrow(await verifyReported(requestHeadersOf(request), access))
    },
    explain: explainMethod(verification, compile),
    ready: async () => {
      for (const ready of await Promise.all(kinds.map(({ keys }) => keys.ready()))) {
        if (ready instanceof IdTokenError) throw ready
      }
    },
    stats: () => ({
      keys: idTokens.keys.stats(),
      ...(assertions && { iapKeys: assertions.keys.stats() }),
      tokenCache: { size: cache?.size ?? 0, max: cacheSize },
    }),
    close: () => {
      for (const kind of kinds) kind.close()
    },
  }
  const headers = kinds.flatMap(({ profile }) => profile.presentation.headers)
  return {
    verifier,
    settings,
    decidingHeaderOf: (request) => decidingHeaderName(request, headers),
    verifyRequest: verifyReported,
  }
}

const TRUST_WARNING =
  'trustRemovedSignature is on: anyone who reaches this service without going through the IAM check of Cloud Run can claim to be any caller'

/** Compiles policies on top of the default policy, each object once. */
type CompilePolicy = (policy: RoutePolicy | undefined) => AccessPolicy

function policyCompiler(defaultPolicy: AccessPolicy): CompilePolicy {
  const compiled = new WeakMap<RoutePolicy, AccessPolicy>()
  return (policy) => {
    if (policy === undefined) return defaultPolicy
    let access = compiled.get(policy)
    if (access === undefined) {
      access = parsePolicy('policy', policy, defaultPolicy)
      compiled.set(policy, access)
    }
    return access
  }
}

function tokenMethods(
  tokens: TokenVerifier,
  reported: Reported,
  compile: CompilePolicy,
): Pick<Verifier, 'verify' | 'verifySync'> {
  const listed = (policy: RoutePolicy | undefined): AccessPolicy =>
    requireList('policy.allowedCallers', compile(policy))
  return {
    verify: async (token, policy) => {
      const access = listed(policy)
      const outcome = reported(() =>
        whenKnown(tokens.verify(token, inAuthorization(access)), (known) =>
          ifListed(known, access),
        ),
      )
      return acceptedOrThrow(await outcome)
    },
    verifySync: (token, policy) => {
      const access = listed(policy)
      const outcome = reported(() =>
        ifListed(tokens.verifySync(token, inAuthorization(access)), access),
      )
      return acceptedOrThrow(outcome as Outcome)
    },
  }
}

function anyCallerMethods(
  tokens: TokenVerifier,
  reported: Reported,
  defaultPolicy: AccessPolicy,
): Pick<Verifier, 'verifyAnyCaller' | 'verifyAnyCallerSync'> {
  const expected = inAuthorization(defaultPolicy)
  return {
    verifyAnyCaller: async (token) =>
      acceptedOrThrow(await reported(() => tokens.verify(token, expected))),
    verifyAnyCallerSync: (token) =>
      acceptedOrThrow(reported(() => tokens.verifySync(token, expected)) as Outcome),
  }
}

/** A token without a request counts as one in `Authorization`. */
function inAuthorization({ audiences }: AccessPolicy): Expected {
  return { audiences, header: 'authorization' }
}

/** Explanations are not counted. */
function explainMethod(
  verification: RequestVerification,
  compile: CompilePolicy,
): Verifier['explain'] {
  return async (tokenOrRequest, policy) => {
    const access = compile(policy)
    const request = requestOf(tokenOrRequest)
    const outcome = await (request instanceof IdTokenError
      ? request
      : verifyRequest(verification, request, access))
    return explain(outcome, access.allowedCallers === null ? 'lifetime' : 'caller')
  }
}

/** A token counts as one in `Authorization`. A program in JavaScript may pass anything. */
function requestOf(tokenOrRequest: string | RequestLike): RequestHeaders | IdTokenError {
  if (typeof tokenOrRequest === 'string') {
    return { headers: { authorization: `Bearer ${tokenOrRequest}` } }
  }
  const isRequest = ['headers', 'raw'].some((member) => member in Object(tokenOrRequest))
  return isRequest
    ? requestHeadersOf(tokenOrRequest)
    : (typeRefusal(tokenOrRequest) as IdTokenError)
}
