import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AllowedCaller } from '../caller/allowed-callers.ts'
import type { Caller } from '../caller/caller.ts'
import {
  acceptPolicy,
  requireList,
  type AccessPolicy,
  type RoutePolicy,
} from '../options/access-policy.ts'
import type { Logger } from '../options/injected.ts'
import type { VerifierOptions } from '../options/verifier-options.ts'
import { decidingHeaderName } from '../request/deciding-header.ts'
import { logRefusal, type RefusedRequest } from '../verdict/log-refusal.ts'
import {
  createVerifierCore,
  type Verifier,
  type VerifierCore,
} from '../verifier/create-verifier.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who calls. `null` on an optional route without a token; missing on one without a guard. */
      caller?: Caller | null
    }
  }
}

/** An Express middleware; structural, so that it fits Express 4 and 5 and needs neither's types. */
export type Middleware = (
  request: IncomingMessage & { caller?: Caller | null },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** A middleware that guards with the default list, and makers of others. */
export interface GoogleIdToken extends Middleware {
  /** Guards a route with a list of its own, and an audience of its own where one is given. */
  readonly allow: (
    allowedCallers: readonly AllowedCaller[],
    policy?: Pick<RoutePolicy, 'audience'>,
  ) => Middleware
  /** Guards a route that also answers requests without a token: `req.caller` is `null` then. */
  readonly optional: (policy?: Omit<RoutePolicy, 'optional'>) => Middleware
  /** The verifier behind all of them. `close()` it with the server. */
  readonly verifier: Verifier
}

/**
 * Makes the guards of an Express app, which share one key set and one token cache.
 *
 * Refusals go to `next` as `IdTokenError`, which Express answers with its `statusCode`; the
 * challenge is on the response already. They are logged through `req.log` where there is one
 * (pino-http), or through the option `logger`.
 *
 * @throws TypeError naming the option that is wrong, its value and what is accepted
 */
export function googleIdToken(options: VerifierOptions): GoogleIdToken {
  const core = createVerifierCore(options)
  const defaults = core.settings.defaultPolicy
  const guardWith = (where: string, policy: RoutePolicy): Middleware =>
    guard(
      core,
      requireList(`${where}.allowedCallers`, acceptPolicy(where, policy, defaults)),
      options.logger,
    )
  return Object.assign(defaultGuard(core, options.logger), {
    allow: (allowedCallers: readonly AllowedCaller[], policy: Pick<RoutePolicy, 'audience'> = {}) =>
      // `undefined` would mean the default list; who calls `allow` means another.
      guardWith('allow', {
        ...policy,
        allowedCallers: (allowedCallers as unknown) ?? null,
      } as RoutePolicy),
    optional: (policy: Omit<RoutePolicy, 'optional'> = {}) =>
      guardWith('optional', { ...policy, optional: true }),
    verifier: core.verifier,
  })
}

/** Express has no start-up at which a missing list could stop it: every request is refused. */
function defaultGuard(core: VerifierCore, logger: Logger | undefined): Middleware {
  const guarded = guard(core, core.settings.defaultPolicy, logger)
  return (request, response, next) => {
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
    core.decideRequest(request, policy, (error, caller) => {
      try {
        if (error === null) request.caller = caller
        else refuse(error, request, response, logger)
      } catch (problem) {
        // A decision that waited for keys is handed over where nobody else would catch it.
        next(problem)
        return
      }
      next(error ?? undefined)
    })
  }
}

function refuse(
  error: Error,
  request: IncomingMessage & { log?: Partial<Logger> },
  response: ServerResponse,
  logger: Logger | undefined,
): void {
  const log = typeof request.log?.warn === 'function' ? (request.log as Logger) : logger
  const headers = logRefusal(error, refused(request), log)
  // Whoever gave up on a slow decision may have answered already.
  if (response.headersSent) return
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

/** `originalUrl` is what Express keeps while a router strips its prefix off `url`. */
function refused(request: IncomingMessage & { originalUrl?: string }): RefusedRequest {
  const { method = '', url = '', originalUrl = url } = request
  return { method, route: originalUrl, header: decidingHeaderName(request) }
}
