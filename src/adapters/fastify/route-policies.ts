import type { FastifyRequest } from 'fastify'
import {
  parseGuardPolicy,
  missingList,
  requireList,
  withList,
  type AccessPolicy,
  type ListedPolicy,
} from '../../policy/access-policy.ts'
import { invalidOption, invalidSecretOption } from '../../checks/invalid-option.ts'
import type { DeclaredRoute } from './declared-route.ts'
import { withoutAddedHeadRoutes } from './added-head-routes.ts'
import { losesIdToken, ownIdToken, routeName, routeNames } from './route-config.ts'
import type { RouteAccess } from './types.ts'

/** The policy of a route; `null` if it is open. */
type RouteGuard = ListedPolicy | null

/** `config.idToken` of every route, compiled once. */
export class RoutePolicies {
  readonly #defaults: AccessPolicy
  /** The policy of a route without a `config.idToken`; `undefined` if such a route needs one. */
  readonly #unconfigured: ListedPolicy | undefined
  readonly #compiled = new WeakMap<object, ListedPolicy>()

  constructor(defaults: AccessPolicy) {
    this.#defaults = defaults
    this.#unconfigured = withList(defaults)
  }

  /**
   * The policy for the route of a request.
   *
   * The not-found handler has no route. It answers the callers of the default list, or every
   * verified caller if there is no default list. So nobody else can find out which routes exist.
   */
  of({ config, url, method }: FastifyRequest['routeOptions']): AccessPolicy | null {
    if (url === undefined) return this.#defaults
    // Fastify's copy of a config: its own members are those that ownIdToken finds in the original.
    return this.#guard(Object.hasOwn(config, 'idToken') ? config.idToken : undefined, method, url)
  }

  /** @throws TypeError naming the routes whose `config.idToken` is wrong, misplaced or missing */
  check(routes: readonly DeclaredRoute[]): void {
    routes.forEach(checkPlace)
    const unlisted = withoutAddedHeadRoutes(routes.filter((route) => this.#isUnlisted(route)))
    if (unlisted.length > 0) {
      throw missingList(`${routeNames(unlisted)} config.idToken.allowedCallers`)
    }
    for (const route of routes) this.#guardOf(route)
  }

  /**
   * One row for each method of each route. The `HEAD` route that Fastify adds for a GET route has
   * no row of its own.
   */
  list(routes: readonly DeclaredRoute[]): RouteAccess[] {
    return withoutAddedHeadRoutes(routes).flatMap((route) =>
      [route.method].flat().map((method) => rowOf(method, route.url, this.#guardOf(route))),
    )
  }

  #isUnlisted({ options }: DeclaredRoute): boolean {
    return ownIdToken(options.config) === undefined && this.#unconfigured === undefined
  }

  #guardOf({ options, method, url }: DeclaredRoute): RouteGuard {
    return this.#guard(ownIdToken(options.config), method, url)
  }

  #guard(idToken: unknown, method: string | readonly string[], url: string): RouteGuard {
    if (idToken === false) return null
    const known = this.#known(idToken)
    if (known !== undefined) return known
    const where = `${routeName(method, url)} config.idToken`
    const policy = requireList(
      `${where}.allowedCallers`,
      idToken === undefined
        ? this.#defaults
        : parseGuardPolicy(where, idToken, this.#defaults, 'false, or an object'),
    )
    if (idToken !== undefined) this.#compiled.set(idToken as object, policy)
    return policy
  }

  /** Most requests need only this, and it allocates nothing. */
  #known(idToken: unknown): ListedPolicy | undefined {
    if (idToken === undefined) return this.#unconfigured
    return typeof idToken === 'object' && idToken !== null ? this.#compiled.get(idToken) : undefined
  }
}

/**
 * If a list is in the wrong place, nobody reads it, and the default list would let in other
 * callers.
 *
 * @throws TypeError naming the route and the key
 */
function checkPlace({ method, url, options }: DeclaredRoute): void {
  if (losesIdToken(options.config)) {
    throw invalidSecretOption(
      `${routeName(method, url)} config.idToken`,
      'is inherited or not enumerable, so that Fastify leaves it out',
      'an idToken that is a member of config itself',
    )
  }
  const misplaced: [key: string, value: unknown][] = [
    ...Object.entries(options).filter(([key]) => /^idtoken$/i.test(key)),
    ...Object.entries(options.config ?? {})
      .filter(([key]) => /^(?:idtoken|allowedcallers)$/i.test(key) && key !== 'idToken')
      .map(([key, value]: [string, unknown]): [string, unknown] => [`config.${key}`, value]),
  ]
  for (const [key, value] of misplaced) {
    throw invalidOption(
      `${routeName(method, url)} ${key}`,
      value,
      'config.idToken and nothing else',
    )
  }
}

function rowOf(method: string, url: string, guard: RouteGuard): RouteAccess {
  if (guard === null) return { method, url, access: 'open', allowedCallers: [], audience: [] }
  return {
    method,
    url,
    access: guard.optional ? 'optional' : 'callers',
    allowedCallers: guard.allowedCallers.configured,
    audience: guard.audiences.configured,
    ...(guard.reportOnly && { reportOnly: true }),
  }
}
