import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { Caller } from '../../policy/caller.ts'
import {
  parsePolicy,
  requireList,
  type AccessPolicy,
  type RoutePolicy,
} from '../../policy/access-policy.ts'
import { warnAboutHosts } from '../../policy/audiences.ts'
import type { Logger } from '../../checks/injected.ts'
import { parseNames, invalidConfiguration } from '../../checks/invalid-option.ts'
import type { VerifierOptions } from '../../verifier/verifier-options.ts'
import { logRefusal, type RefusedRequest } from '../log-refusal.ts'
import { receiveOutcome } from '../receive-outcome.ts'
import {
  createVerifierCore,
  type Verifier,
  type VerifierCore,
} from '../../verifier/create-verifier.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who calls. `null` on an optional route without a token; missing on one without a guard. */
      caller?: Caller | null
    }
  }
}

/**
 * An Express middleware. The type is structural, so that it fits Express 4 and 5 without their
 * types.
 */
export type Middleware = (
  request: IncomingMessage & { caller?: Caller | null },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * What `allow` and `optional` take besides a list.
 *
 * @inline
 */
type Audience = Pick<RoutePolicy, 'audience'>

/** A middleware that guards with the default list, and functions that make other guards. */
export interface GoogleIdToken extends Middleware {
  /** Guards a route with its own list, and with its own audience if one is given. */
  readonly allow: (allowedCallers: readonly AllowedCaller[], policy?: Audience) => Middleware
  /**
   * Guards a route that also answers requests without a token: `req.caller` is `null` then. It
   * takes a list like `allow`, or a policy, or nothing for the default list.
   */
  readonly optional: {
    (allowedCallers: readonly AllowedCaller[], policy?: Audience): Middleware
    (policy?: Omit<RoutePolicy, 'optional'>): Middleware
  }
  /** The verifier of all these guards. `close()` it with the server. */
  readonly verifier: Verifier
}

/**
 * Makes the guards of an Express app, which share one key set and one token cache.
 *
 * Refusals go to `next` as `IdTokenError`, which Express answers with its `statusCode`; the
 * challenge is on the response already. They are logged through `req.log` if there is one
 * (pino-http), or through the option `logger`.
 *
 * @throws TypeError naming the option that is wrong, its value and what is accepted
 */
export function googleIdToken(options: VerifierOptions): GoogleIdToken {
  const core = createVerifierCore(options)
  const defaults = core.settings.defaultPolicy
  const makeGuard = (where: string, policy: RoutePolicy): Middleware => {
    const access = requireList(`${where}.allowedCallers`, parsePolicy(where, policy, defaults))
    if (policy.audience !== undefined) {
      warnAboutHosts(access.audiences.configured, core.settings.logger)
    }
    return guard(core, access, options.logger)
  }
  return Object.assign(defaultGuard(core, options.logger), {
    allow: makerOf('allow', options.logger, (list, policy) =>
      makeGuard('allow', listedPolicy('allow', list, policy)),
    ),
    optional: makerOf('optional', options.logger, (first = {}, policy) =>
      makeGuard('optional', {
        ...(Array.isArray(first) || policy !== undefined
          ? listedPolicy('optional', first, policy)
          : parseNames('optional', first, ['allowedCallers', 'audience'])),
        optional: true,
      }),
    ),
    verifier: core.verifier,
  })
}

/** A list, and what `allow` and `optional` take besides it. */
function listedPolicy(where: string, list: unknown, policy: unknown = {}): RoutePolicy {
  const { audience } = parseNames(where, policy, ['audience'])
  // `undefined` would mean the default list, but whoever calls `allow` means another list.
  return { allowedCallers: list ?? null, audience } as RoutePolicy
}

/**
 * A function that makes guards. If an author writes `app.use(auth.allow)`, Express takes this
 * function for a middleware and calls it with each request. Then it throws an error that says what
 * to write.
 */
function makerOf(
  name: string,
  logger: Logger | undefined,
  make: (first: unknown, second: unknown) => Middleware,
): (first?: unknown, second?: unknown) => Middleware {
  return (...[first, second, next]: unknown[]) => {
    if (typeof next !== 'function') return make(first, second)
    const error = invalidConfiguration(
      `auth.${name} is not a middleware but makes one: call it, as in app.use(auth.${name}([...]))`,
    )
    loggerOf(first as LoggedRequest, logger)?.warn({}, error.message)
    throw error
  }
}

/** Express has no start-up that a missing list could stop, so every request is refused. */
function defaultGuard(core: VerifierCore, logger: Logger | undefined): Middleware {
  const guarded = guard(core, core.settings.defaultPolicy, logger)
  return (request, response, next) => {
    assertCalledByExpress(next)
    try {
      requireList('allowedCallers', core.settings.defaultPolicy)
    } catch (error) {
      next(error)
      return
    }
    guarded(request, response, next)
  }
}

function guard(core: VerifierCore, policy: AccessPolicy, logger: Logger | undefined): Middleware {
  return (request, response, next) => {
    assertCalledByExpress(next)
    receiveOutcome(core.verifyRequest(request, policy), {
      accept: (caller) => {
        request.caller = caller
      },
      refuse: (refusal) => {
        const headers = logRefusal(refusal, refused(request, core), loggerOf(request, logger))
        // The application may have answered already, without waiting for the keys.
        if (response.headersSent) return
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      },
      next,
    })
  }
}

/**
 * `app.use(auth())` calls the middleware while the app is created, and registers the result.
 *
 * @throws TypeError that says what to write
 */
function assertCalledByExpress(next: unknown): void {
  if (typeof next === 'function') return
  throw invalidConfiguration(
    'This guard is a middleware and was called without a request: write app.use(auth), not app.use(auth()). For a list of its own: auth.allow([...])',
  )
}

/** A request that may have a logger of pino-http. */
type LoggedRequest = IncomingMessage & { log?: Partial<Logger> }

function loggerOf({ log }: LoggedRequest, logger: Logger | undefined): Logger | undefined {
  return typeof log?.warn === 'function' ? (log as Logger) : logger
}

/** Express keeps `originalUrl` while a router removes its prefix from `url`. */
function refused(
  request: IncomingMessage & { originalUrl?: string },
  core: VerifierCore,
): RefusedRequest {
  const { method = '', url = '', originalUrl = url } = request
  return { method, route: originalUrl, header: core.decidingHeaderOf(request) }
}
