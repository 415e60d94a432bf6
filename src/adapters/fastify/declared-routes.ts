import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, onRouteHookHandler, RouteOptions } from 'fastify'
import { assertGuarded } from './assert-guarded.ts'
import type { DeclaredRoute } from './declared-route.ts'
import { isGuarded } from './guarded-scopes.ts'
import { keepsIdToken, losesIdToken } from './route-config.ts'

/** What is recorded about an app. */
interface NotedApp {
  readonly routes: DeclaredRoute[]
  /** Whether the plugin is registered in any scope of it. */
  registered: boolean
}

const notedApps = new WeakMap<object, NotedApp>()

/**
 * `register` loads a plugin later, so the routes that follow it in the code are declared before the
 * plugin has loaded. Hooks still apply to these routes, but `onRoute` is not called for them, and
 * Fastify has no list of routes. So routes are recorded as soon as an app is created, which Fastify
 * announces (https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks).
 */
subscribe('fastify.initialization', (message) => {
  const { fastify: app } = message as { fastify: FastifyInstance }
  noteRoutes(app, [app])
})

/**
 * Records routes, and checks once the app is ready that every route that asks for a guard has one.
 * This is a hook of the app and not of the plugin: a plugin that is registered in one scope, or
 * nowhere, cannot check it.
 *
 * @param scopes - the scopes that get the `onRoute` hook; scopes that are created inside them later
 * inherit it
 */
function noteRoutes(app: FastifyInstance, scopes: readonly FastifyInstance[]): NotedApp {
  const noted: NotedApp = { routes: [], registered: false }
  notedApps.set(app, noted)
  const noteRoute: onRouteHookHandler = function (options) {
    if (keepsIdToken(options.config) || isGuarded(this)) copyConfig(options)
    // Fastify uses one object for a route and its copy with a trailing slash, so the url is read
    // now.
    const { method, url, handler } = options
    noted.routes.push({ scope: this, method, url, handler, options })
  }
  for (const scope of scopes) scope.addHook('onRoute', noteRoute)
  app.addHook('onReady', (done) => {
    assertGuarded(noted.routes, noted.registered)
    done()
  })
  return noted
}

/**
 * Fastify copies the config after the `onRoute` hooks, so what its author changes later has no
 * effect on the route. The copy that is made here keeps such changes out of the noted routes too. A
 * config that Fastify would copy without its `idToken` stays as it is: it is refused when the app
 * is ready.
 */
function copyConfig(options: RouteOptions): void {
  const { config } = options
  if (config !== undefined && !losesIdToken(config)) options.config = { ...config }
}

/** The routes of a scope and of the scopes inside it. */
export interface DeclaredRoutes {
  /** Those that are declared by now. */
  readonly list: () => readonly DeclaredRoute[]
  /**
   * Some declared routes are not in the list, because the app was created before this module was
   * loaded.
   */
  readonly incomplete: boolean
  /** Whether this scope is inside another one of the app. */
  readonly nested: boolean
}

/**
 * Finds the routes of a scope that gets a guard. If the app was created before this module was
 * loaded, it finds the routes that are declared from now on.
 */
export function declaredRoutes(scope: FastifyInstance): DeclaredRoutes {
  const scopes = withScopesAround(scope)
  const app = scopes.at(-1) as FastifyInstance
  const known = notedApps.get(app)
  const noted = known ?? noteRoutes(app, scopes)
  noted.registered = true
  const list = (): readonly DeclaredRoute[] =>
    noted.routes.filter(
      (route) => route.scope === scope || Object.prototype.isPrototypeOf.call(scope, route.scope),
    )
  for (const { options } of list()) copyConfig(options)
  return {
    list,
    incomplete: known === undefined && hasRoutes(scope),
    nested: scope !== app,
  }
}

/**
 * Fastify has no list of the routes that were declared before. It can print them, each with its
 * methods: `/profiles (GET, HEAD)`.
 */
function hasRoutes(app: FastifyInstance): boolean {
  return /\([A-Z]/.test(app.printRoutes())
}

/** A scope inherits from the scope around it, up to the app, which inherits from a plain object. */
function withScopesAround(scope: FastifyInstance): FastifyInstance[] {
  const scopes = [scope]
  let around = Object.getPrototypeOf(scope) as FastifyInstance
  while (typeof around.register === 'function') {
    scopes.push(around)
    around = Object.getPrototypeOf(around) as FastifyInstance
  }
  return scopes
}
