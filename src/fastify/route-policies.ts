import type { FastifyRequest } from 'fastify'
import {
  acceptPolicy,
  hasList,
  requireList,
  type AccessPolicy,
  type ListedPolicy,
} from '../options/access-policy.ts'
import type { DeclaredRoute } from './declared-routes.ts'
import type { RouteAccess } from './types.ts'

/** What guards a route; `null` where it is open. */
type RouteGuard = ListedPolicy | null

/** `config.idToken` of every route, compiled once. */
export class RoutePolicies {
  readonly #defaults: AccessPolicy
  readonly #compiled = new WeakMap<object, ListedPolicy>()

  constructor(defaults: AccessPolicy) {
    this.#defaults = defaults
  }

  /**
   * What guards the route of a request.
   *
   * The not-found handler belongs to no route: it answers whoever is verified, and where there is
   * a default list only those in it, so that nobody else can find out which routes exist.
   */
  of(request: FastifyRequest): AccessPolicy | null {
    if (request.is404) return this.#defaults
    const { config, url = '', method } = request.routeOptions
    return this.#guard(config.idToken, method, url)
  }

  /** @throws TypeError naming the route whose `config.idToken` is wrong or missing */
  check(routes: readonly DeclaredRoute[]): void {
    for (const route of routes) this.#guardOf(route)
  }

  /** One row a route; the HEAD twin that Fastify makes of a GET route is that route. */
  list(routes: readonly DeclaredRoute[]): RouteAccess[] {
    return routes
      .filter((route) => !isHeadTwin(route, routes))
      .flatMap((route) =>
        [route.method].flat().map((method) => rowOf(method, route.url, this.#guardOf(route))),
      )
  }

  #guardOf({ config, method, url }: DeclaredRoute): RouteGuard {
    return this.#guard(config?.idToken, method, url)
  }

  #guard(idToken: unknown, method: string | readonly string[], url: string): RouteGuard {
    if (idToken === false) return null
    const known = this.#known(idToken)
    if (known !== undefined) return known
    const where = `${[method].flat().join()} ${url} config.idToken`
    const policy = requireList(
      `${where}.allowedCallers`,
      idToken === undefined ? this.#defaults : acceptPolicy(where, idToken, this.#defaults),
    )
    if (idToken !== undefined) this.#compiled.set(idToken as object, policy)
    return policy
  }

  /** What most requests need: found without making anything. */
  #known(idToken: unknown): ListedPolicy | undefined {
    if (idToken === undefined) return hasList(this.#defaults) ? this.#defaults : undefined
    return typeof idToken === 'object' && idToken !== null ? this.#compiled.get(idToken) : undefined
  }
}

/** Fastify makes the twin of a GET route, and of its twin with a trailing slash, from its options. */
function isHeadTwin(route: DeclaredRoute, routes: readonly DeclaredRoute[]): boolean {
  return (
    route.method === 'HEAD' &&
    routes.some(
      ({ method, url, handler, config }) =>
        [method].flat().includes('GET') &&
        (url === route.url || `${url}/` === route.url) &&
        handler === route.handler &&
        config?.idToken === route.config?.idToken,
    )
  )
}

function rowOf(method: string, url: string, guard: RouteGuard): RouteAccess {
  if (guard === null) return { method, url, access: 'open', allowedCallers: [], audience: [] }
  return {
    method,
    url,
    access: guard.optional ? 'optional' : 'callers',
    allowedCallers: guard.allowedCallers.configured,
    audience: guard.audiences.configured,
  }
}
