import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as it was declared, and the scope that it was declared in. */
export interface DeclaredRoute {
  readonly scope: FastifyInstance
  readonly method: string | readonly string[]
  /** With the prefix of its scope. */
  readonly url: string
  readonly config: RouteOptions['config']
}

const routesOfApps = new WeakMap<object, DeclaredRoute[]>()

/**
 * `register` loads a plugin later, so the routes that an author declares in the lines after it are
 * there before the plugin is. Hooks reach them all the same, but `onRoute` does not, and Fastify
 * lists no routes. So routes are noted from the moment that an app is made, which Fastify announces
 * (https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks).
 */
subscribe('fastify.initialization', (message) => {
  noteRoutes((message as { fastify: FastifyInstance }).fastify)
})

function noteRoutes(app: FastifyInstance): DeclaredRoute[] {
  const routes: DeclaredRoute[] = []
  routesOfApps.set(app, routes)
  app.addHook('onRoute', function (options) {
    // Fastify uses one object for a route and its twin with a trailing slash: the url is as of now.
    const { method, url } = options
    routes.push({
      scope: this,
      method,
      url,
      get config() {
        return options.config
      },
    })
  })
  return routes
}

/**
 * The routes of this scope and those inside it, as far as they are declared when it is called.
 *
 * @returns a function, because routes are still being declared; of an app that was made before
 * this module was loaded it knows the routes from now on
 */
export function declaredRoutes(scope: FastifyInstance): () => DeclaredRoute[] {
  const routes = routesOfAppOf(scope) ?? noteRoutes(scope)
  return () =>
    routes.filter(
      (route) => route.scope === scope || Object.prototype.isPrototypeOf.call(scope, route.scope),
    )
}

/** A scope inherits from the scope around it, up to the app. */
function routesOfAppOf(scope: object): DeclaredRoute[] | undefined {
  for (
    let one: object | null = scope;
    one !== null;
    one = Object.getPrototypeOf(one) as object | null
  ) {
    const routes = routesOfApps.get(one)
    if (routes !== undefined) return routes
  }
  return undefined
}
