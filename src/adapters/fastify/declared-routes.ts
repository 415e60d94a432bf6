import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, onRouteHookHandler, RouteOptions } from 'fastify'
import { assertGuarded } from './assert-guarded.ts'
import type { DeclaredRoute } from './declared-route.ts'
import { isGuarded } from './guarded-scopes.ts'
import { keepsIdToken, losesIdToken } from './route-config.ts'

/** What is noted of an app. */
interface NotedApp {
  readonly routes: DeclaredRoute[]
  /** Whether the plugin is registered in any scope of it. */
  registered: boolean
}

const notedApps = new WeakMap<object, NotedApp>()

/**
 * `register` loads a plugin later, so the routes that an author declares in the lines after it are
 * there before the plugin is. Hooks reach them all the same, but `onRoute` does not, and Fastify
 * lists no routes. So routes are noted from the moment that an app is made, which Fastify announces
 * (https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks).
 */
subscribe('fastify.initialization', (message) => {
  const { fastify: app } = message as { fastify: FastifyInstance }
  noteRoutes(app, [app])
})

/**
 * Notes routes, and checks once the app is ready that a guard covers all that ask for one. The app
 * checks this and not the plugin: a plugin that is registered in one scope, or nowhere, cannot.
 *
 * @param scopes - those whose `onRoute` hooks are added to; a scope hands its own on to scopes that
 * are made inside it later
 */
function noteRoutes(app: FastifyInstance, scopes: readonly FastifyInstance[]): NotedApp {
  const noted: NotedApp = { routes: [], registered: false }
  notedApps.set(app, noted)
  const noteRoute: onRouteHookHandler = function (options) {
    if (keepsIdToken(options.config) || isGuarded(this)) keepConfig(options)
    // Fastify uses one object for a route and its twin with a trailing slash: the url is as of now.
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
 * Fastify takes a copy of the config once the `onRoute` hooks have run: what its author changes in
 * it later guards nothing, and must not show here either. A config that has nothing to do with this
 * package is left alone. So is one that Fastify copies without its `idToken`: it is refused when the
 * app is ready.
 */
function keepConfig(options: RouteOptions): void {
  const { config } = options
  if (config !== undefined && !losesIdToken(config)) options.config = { ...config }
}

/** The routes of a scope and of those inside it. */
export interface DeclaredRoutes {
  /** As far as they are declared now. */
  readonly list: () => readonly DeclaredRoute[]
  /** Routes were declared that are not in the list: the app is older than this module. */
  readonly incomplete: boolean
  /** Whether there is more of the app around this scope. */
  readonly nested: boolean
}

/**
 * Finds the routes of a scope that gets a guard; of an app older than this module, those declared
 * from now on.
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
  for (const { options } of list()) keepConfig(options)
  return {
    list,
    incomplete: known === undefined && hasRoutes(scope),
    nested: scope !== app,
  }
}

/** Fastify tells of past routes only in print, each with its methods: `/profiles (GET, HEAD)`. */
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
