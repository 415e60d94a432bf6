import type { FastifyInstance, FastifyPluginAsync, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { invalidOption } from '../../checks/invalid-option.ts'
import type { IdTokenError } from '../../errors/id-token-error.ts'
import type { AccessPolicy } from '../../policy/access-policy.ts'
import { createGuardParts, type GuardOptions } from '../guard-options.ts'
import { RequestGuard } from '../request-guard.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'
import { declaredRoutes } from './declared-routes.ts'
import { isGuarded, markGuarded } from './guarded-scopes.ts'
import { GuardedFastifyRequest, type GuardedScope } from './guarded-request.ts'
import { documentGuards } from './openapi.ts'
import { RoutePolicies } from './route-policies.ts'
import { warnOfLikelyMistakes, warnOfReportOnly, warnOfUnknownRoutes } from './route-warnings.ts'
import './types.ts'

/** The options of the Fastify plugin: those of all guards, and the time of the first fetch of keys. */
export interface GoogleIdTokenOptions extends GuardOptions {
  /**
   * `true`: the first fetch of keys starts when the app is ready, and the start does not wait for
   * it. `'required'`: the app does not start without keys. Default `true`.
   */
  prefetch?: true | 'required' | undefined
}

const googleIdToken: FastifyPluginAsync<GoogleIdTokenOptions> = (app, options) =>
  // Nobody catches what a plugin throws, so a thrown error would end the process.
  new Promise((resolve) => {
    guardScope(app, options)
    resolve()
  })

function guardScope(app: FastifyInstance, options: GoogleIdTokenOptions): void {
  if (isGuarded(app)) throw registeredTwice()
  assertNamesFree(app)
  const { core, defaults, reports } = createGuardParts(options, {
    names: ['prefetch'],
    logger: app.log,
  })
  const prefetch = parsePrefetch(options.prefetch)
  const policies = new RoutePolicies(defaults)
  const guard = new RequestGuard(core, reports)
  const routes = declaredRoutes(app)
  warnOfUnknownRoutes(routes, core.settings)
  app.decorate('idTokenVerifier', core.verifier)
  app.decorate('listAllowedCallers', () => policies.list(routes.list()))
  app.decorateRequest('caller', null as never)
  const closing = new AbortController()
  app.addHook(
    'onRequest',
    createGuard(guard, policies, { appLog: core.settings.logger, closing: closing.signal }),
  )
  markGuarded(app)
  app.addHook('onReady', async () => {
    const declared = routes.list()
    // A scope inside this one may have been loaded before this one, with its own plugin.
    if (declared.some(({ scope }) => scope.idTokenVerifier !== core.verifier)) {
      throw registeredTwice()
    }
    policies.check(declared)
    documentGuards(declared, (route) => policies.list([route]))
    warnOfLikelyMistakes(routes, policies.list(declared), core.settings)
    warnOfReportOnly(policies.list(declared), defaults, core.settings)
    await prefetched(core.verifier, prefetch)
  })
  // After the last request.
  app.addHook('onClose', (_app, done) => {
    guard.close()
    done()
  })
  // Before the server waits for its requests to end: some of them may wait for a fetch that hangs.
  app.addHook('preClose', (done) => {
    closing.abort()
    core.verifier.close()
    done()
  })
}

function parsePrefetch(value: unknown = true): true | 'required' {
  if (value === true || value === 'required') return value
  throw invalidOption('prefetch', value, "true or 'required'")
}

/**
 * Fastify's error names the decorator that exists already, but not who adds it again, or what to
 * do.
 */
function assertNamesFree(app: FastifyInstance): void {
  for (const [name, taken] of [
    ['request.caller', app.hasRequestDecorator('caller')],
    ['app.idTokenVerifier', app.hasDecorator('idTokenVerifier')],
    ['app.listAllowedCallers', app.hasDecorator('listAllowedCallers')],
  ] as const) {
    if (!taken) continue
    throw Object.assign(
      new Error(
        `${name} is decorated already, by this app or by another plugin, and fastify-google-id-token needs that name: rename the other decorator`,
      ),
      { code: 'FST_ERR_DEC_ALREADY_PRESENT' },
    )
  }
}

function registeredTwice(): Error {
  return new Error(
    'fastify-google-id-token is registered twice in one scope, or in a scope and one inside it: register it in sibling scopes, or give routes a config.idToken of their own',
  )
}

async function prefetched(verifier: Verifier, prefetch: true | 'required'): Promise<void> {
  if (prefetch === true) {
    // The key set logs the failure, and the first request tries again.
    verifier.ready().catch(() => undefined)
    return
  }
  try {
    await verifier.ready()
  } catch (cause) {
    const { found } = (cause as IdTokenError).detail
    throw new Error(`prefetch is 'required', and no keys could be fetched: ${String(found)}`, {
      cause,
    })
  }
}

/** `onRequest` runs before any body is read, so the body of a refused caller is not read. */
function createGuard(
  guard: RequestGuard,
  policies: RoutePolicies,
  scope: GuardedScope,
): onRequestHookHandler {
  return function idTokenGuard(request, reply, done) {
    // Read once: Fastify makes `routeOptions` anew each time.
    const { routeOptions } = request
    let policy: AccessPolicy | null
    try {
      policy = policies.of(routeOptions)
    } catch (cause) {
      // A route that was not known at start-up: see declaredRoutes. The reason may quote the
      // route's list, so it goes to the log (Fastify's serializer logs causes) and not into the
      // response.
      done(new Error('This route has no valid rule for who may call it', { cause }))
      return
    }
    if (policy === null) {
      done()
      return
    }
    const guarded = new GuardedFastifyRequest({ request, reply, done, routeOptions }, scope)
    guard.handle(guarded, policy)
  }
}

/** The Fastify plugin. */
export const plugin = fp(googleIdToken, {
  fastify: '^5.0.0 || ^6.0.0-alpha.4',
  name: 'fastify-google-id-token',
})
