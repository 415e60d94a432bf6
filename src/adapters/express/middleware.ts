import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { Caller } from '../../policy/caller.ts'
import {
  missingList,
  parseGuardPolicy,
  requireList,
  withList,
  type AccessPolicy,
  type GuardPolicy,
} from '../../policy/access-policy.ts'
import { warnAboutHosts } from '../../policy/audiences.ts'
import { warnAtStart, type Logger } from '../../checks/injected.ts'
import { parseNames, invalidConfiguration } from '../../checks/invalid-option.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'
import { createGuardParts, REPORT_ONLY, type GuardOptions } from '../guard-options.ts'
import { RequestGuard } from '../request-guard.ts'
import {
  GuardedExpressRequest,
  loggerOf,
  type GuardedApp,
  type LoggedRequest,
} from './guarded-request.ts'
import { RouteNames } from './route-names.ts'

declare global {
  namespace Express {
    interface Request {
      /**
       * Who calls. `null` on an optional route without a token, and with `reportOnly` for a request
       * that would be refused, or that goes on before its keys are fetched; missing on a route
       * without a guard.
       */
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
type BesideList = Pick<GuardPolicy, 'audience' | 'reportOnly'>

/** A middleware that guards with the default list, and functions that make other guards. */
export interface GoogleIdToken extends Middleware {
  /** Guards a route with its own list, and with its own audience and `reportOnly` if given. */
  readonly allow: (allowedCallers: readonly AllowedCaller[], policy?: BesideList) => Middleware
  /**
   * Guards a route that also answers requests without a token: `req.caller` is `null` then. It
   * takes a list like `allow`, or a policy, or nothing for the default list.
   */
  readonly optional: {
    (allowedCallers: readonly AllowedCaller[], policy?: BesideList): Middleware
    (policy?: Omit<GuardPolicy, 'optional'>): Middleware
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
export function googleIdToken(options: GuardOptions): GoogleIdToken {
  const { core, defaults, reports } = createGuardParts(options)
  const { logger } = core.settings
  const guard = new RequestGuard(core, reports)
  const app = { logger: options.logger, routes: new RouteNames() }
  const guards: Guards = { guard, app }
  const close = (): void => {
    core.verifier.close()
    guard.close()
  }
  if (defaults.reportOnly) warnOfReportOnly('googleIdToken', logger)
  const makeGuard = (where: string, policy: GuardPolicy): Middleware => {
    const access = requireList(`${where}.allowedCallers`, parseGuardPolicy(where, policy, defaults))
    if (policy.audience !== undefined) warnAboutHosts(access.audiences.configured, logger)
    if (access.reportOnly && !defaults.reportOnly) warnOfReportOnly(`auth.${where}`, logger)
    return guardWith(guards, access)
  }
  return Object.assign(defaultGuard(guards, defaults), {
    allow: makerOf('allow', options.logger, (list, policy) =>
      makeGuard('allow', listedPolicy('allow', list, policy)),
    ),
    optional: makerOf('optional', options.logger, (first = {}, policy) =>
      makeGuard('optional', {
        ...(Array.isArray(first) || policy !== undefined
          ? listedPolicy('optional', first, policy)
          : parseNames('optional', first, ['allowedCallers', ...BESIDE_LIST])),
        optional: true,
      }),
    ),
    verifier: { ...core.verifier, close },
  })
}

/** What all guards of one app share. */
interface Guards {
  readonly guard: RequestGuard
  readonly app: GuardedApp
}

function warnOfReportOnly(where: string, logger: Logger): void {
  warnAtStart(logger, `reportOnly is on in ${where}: ${REPORT_ONLY}`)
}

const BESIDE_LIST = ['audience', 'reportOnly'] as const satisfies (keyof BesideList)[]

/** A list, and what `allow` and `optional` take besides it. */
function listedPolicy(where: string, list: unknown, policy: unknown = {}): GuardPolicy {
  const { audience, reportOnly } = parseNames(where, policy, BESIDE_LIST)
  // `undefined` would mean the default list, but code that calls `allow` wants another list.
  return { allowedCallers: list ?? null, audience, reportOnly } as GuardPolicy
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
function defaultGuard(guards: Guards, defaults: AccessPolicy): Middleware {
  const policy = withList(defaults)
  if (policy !== undefined) return guardWith(guards, policy)
  return (_request, _response, next) => {
    assertCalledByExpress(next)
    next(missingList('allowedCallers'))
  }
}

function guardWith({ guard, app }: Guards, policy: AccessPolicy): Middleware {
  return (request, response, next) => {
    assertCalledByExpress(next)
    guard.handle(new GuardedExpressRequest({ request, response, next }, app), policy)
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
