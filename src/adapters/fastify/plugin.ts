import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
} from 'fastify'
import fp from 'fastify-plugin'
import { OPTION_NAMES, type VerifierOptions } from '../../verifier/verifier-options.ts'
import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import type { IdTokenError } from '../../errors/id-token-error.ts'
import { logRefusal, type RefusedRequest } from '../log-refusal.ts'
import { receiveOutcome } from '../receive-outcome.ts'
import {
  createVerifierCore,
  type Verifier,
  type VerifierCore,
} from '../../verifier/create-verifier.ts'
import { declaredRoutes } from './declared-routes.ts'
import { isGuarded, markGuarded } from './guarded-scopes.ts'
import { RoutePolicies } from './route-policies.ts'
import { warnOfLikelyMistakes, warnOfUnknownRoutes } from './route-warnings.ts'
import './types.ts'

/**
 * The options of the Fastify plugin: those of the verifier, and the time of the first fetch of
 * keys.
 */
export interface GoogleIdTokenOptions extends VerifierOptions {
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
  parseNames('options', options, [...OPTION_NAMES, 'prefetch'])
  const { prefetch = true, ...verifierOptions } = options
  if ((prefetch as unknown) !== true && prefetch !== 'required') {
    throw invalidOption('prefetch', prefetch, "true or 'required'")
  }
  const core = createVerifierCore({ ...verifierOptions, logger: options.logger ?? app.log })
  const policies = new RoutePolicies(core.settings.defaultPolicy)
  const routes = declaredRoutes(app)
  warnOfUnknownRoutes(routes, core.settings)
  app.decorate('idTokenVerifier', core.verifier)
  app.decorate('listAllowedCallers', () => policies.list(routes.list()))
  app.decorateRequest('caller', null as never)
  const closing = new AbortController()
  app.addHook('onRequest', createGuard(core, policies, closing.signal))
  markGuarded(app)
  app.addHook('onReady', async () => {
    const declared = routes.list()
    // A scope inside this one may have been loaded before this one, with its own plugin.
    if (declared.some(({ scope }) => scope.idTokenVerifier !== core.verifier)) {
      throw registeredTwice()
    }
    policies.check(declared)
    warnOfLikelyMistakes(routes, policies.list(declared), core.settings)
    await prefetched(core.verifier, prefetch)
  })
  // Before the server waits for its requests to end: some of them may wait for a fetch that hangs.
  app.addHook('preClose', (done) => {
    closing.abort()
    core.verifier.close()
    done()
  })
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
  core: VerifierCore,
  policies: RoutePolicies,
  closing: AbortSignal,
): onRequestHookHandler {
  return function idTokenGuard(request, reply, done) {
    let policy
    try {
      policy = policies.of(request)
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
    receiveOutcome(core.verifyRequest(request.raw, policy), {
      accept: (caller) => {
        request.caller = caller as never
      },
      refuse: (refusal) => {
        // Set here and on the error, because the app's own error handler may ignore the error's
        // headers.
        void reply.headers(logRefusal(refusal, refused(request, core), request.log))
        if (closing.aborted) endConnection(request, reply)
      },
      next: done as (error?: unknown) => void,
    })
  }
}

/**
 * A client that keeps its connection would delay the end until the keep-alive timeout. Fastify
 * sends this header to requests that come after `close`, but not to those that waited. HTTP/2 has
 * no such header (RFC 9113 section 8.2.2).
 */
function endConnection({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.httpVersionMajor < 2) void reply.header('connection', 'close')
}

function refused(request: FastifyRequest, core: VerifierCore): RefusedRequest {
  const { method, raw, routeOptions } = request
  return { method, route: routeOptions.url, header: core.decidingHeaderOf(raw) }
}

/** The Fastify plugin. */
export const plugin = fp(googleIdToken, {
  fastify: '^5.0.0 || ^6.0.0-alpha.4',
  name: 'fastify-google-id-token',
})
