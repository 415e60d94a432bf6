import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as it was declared, and the scope that it was declared in. */
export interface DeclaredRoute {
  readonly scope: FastifyInstance
  readonly method: string | readonly string[]
  /** With the prefix of its scope. */
  readonly url: string
  /** As given, and as other plugins may change them until the app is ready. */
  readonly options: RouteOptions
  /** As its author gave it: other plugins may wrap it later. */
  readonly handler: RouteOptions['handler']
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
    const { method, url, handler } = options
    // Fastify takes a copy of the config once these hooks have run: what its author changes in it
    // later guards nothing, and must not show here either.
    if (options.config !== undefined) options.config = { ...options.config }
    routes.push({
      scope: this,
      method,
      url,
      handler,
      options,
    })
  })
  return routes
}

/** The routes of a scope and of those inside it. */
export interface DeclaredRoutes {
  /** As far as they are declared now. */
  readonly list: () => readonly DeclaredRoute[]
  /** Routes were declared that are not in the list: the app is older than this module. */
  readonly incomplete: boolean
}

/** Finds the routes of a scope; of an app older than this module, those declared from now on. */
export function declaredRoutes(scope: FastifyInstance): DeclaredRoutes {
  const noted = routesOfAppOf(scope)
  const routes = noted ?? noteRoutes(scope)
  return {
    list: () =>
      routes.filter(
        (route) => route.scope === scope || Object.prototype.isPrototypeOf.call(scope, route.scope),
      ),
    incomplete: noted === undefined && hasRoutes(scope),
  }
}

/** Fastify tells of past routes only in print, each with its methods: `/profiles (GET, HEAD)`. */
function hasRoutes(app: FastifyInstance): boolean {
  return /\([A-Z]/.test(app.printRoutes())
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
