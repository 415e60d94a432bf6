import type { FastifyPluginCallback, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { VerifierOptions } from '../options/verifier-options.ts'
import { logRefusal } from '../verdict/log-refusal.ts'
import { createVerifierCore, type VerifierCore } from '../verifier/create-verifier.ts'
import { declaredRoutes } from './declared-routes.ts'
import { RoutePolicies } from './route-policies.ts'
import './types.ts'

const googleIdToken: FastifyPluginCallback<VerifierOptions> = (app, options, done) => {
  if (app.hasDecorator('idTokenVerifier')) {
    throw new Error(
      'fastify-google-id-token is registered already in this scope or around it: register it in sibling scopes, or give routes a config.idToken of their own',
    )
  }
  const core = createVerifierCore({ ...options, logger: options.logger ?? app.log })
  const policies = new RoutePolicies(core.settings.defaultPolicy)
  const routes = declaredRoutes(app)
  app.decorate('idTokenVerifier', core.verifier)
  app.decorate('listAllowedCallers', () => policies.list(routes()))
  app.decorateRequest('caller', null as never)
  app.addHook('onRequest', createGuard(core, policies))
  app.addHook('onReady', (ready) => {
    policies.check(routes())
    ready()
  })
  app.addHook('onClose', (_app, closed) => {
    core.verifier.close()
    closed()
  })
  done()
}

/** `onRequest` comes before any body is read: a caller who is refused sends it in vain. */
function createGuard(core: VerifierCore, policies: RoutePolicies): onRequestHookHandler {
  return function idTokenGuard(request, reply, done) {
    let policy
    try {
      policy = policies.of(request)
    } catch (error) {
      done(error as Error)
      return
    }
    if (policy === null) {
      done()
      return
    }
    core.decideRequest(request.raw, policy, (error, caller) => {
      if (error === null) {
        request.caller = caller as never
        done()
        return
      }
      // Here as well as on the error: an error handler of the app's own may not look at it.
      void reply.headers(logRefusal(error, request.log))
      done(error)
    })
  }
}

/** The Fastify plugin. */
export const plugin = fp(googleIdToken, { fastify: '5.x', name: 'fastify-google-id-token' })
