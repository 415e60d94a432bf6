import type { DeclaredRoute } from './declared-route.ts'
import { invalidConfiguration } from '../../checks/invalid-option.ts'
import { isGuarded } from './guarded-scopes.ts'
import { withoutAddedHeadRoutes } from './added-head-routes.ts'
import { routeNames } from './route-config.ts'

/**
 * A route that has a list of callers, but is in a scope without a guard, would let in anyone.
 *
 * @param registered - whether the plugin is registered in any scope of the app
 * @throws TypeError naming the routes
 */
export function assertGuarded(routes: readonly DeclaredRoute[], registered: boolean): void {
  const open = routes.filter(({ scope, options }) => !isGuarded(scope) && asksForGuard(options))
  if (open.length === 0) return
  const names = routeNames(withoutAddedHeadRoutes(open))
  throw invalidConfiguration(
    `No guard reads the config.idToken of ${names}. ${registered ? IN_ANOTHER_SCOPE : NOWHERE}`,
  )
}

/** An inherited `idToken` counts too: the author of the route wanted a guard. */
function asksForGuard({ config }: DeclaredRoute['options']): boolean {
  const idToken: unknown = config?.idToken
  return idToken !== undefined && idToken !== false
}

const IN_ANOTHER_SCOPE =
  'fastify-google-id-token is registered in a scope that does not hold these routes, so anyone could call them. Wrap the plugin function that registers it with fastify-plugin, or register it on the app itself.'

const NOWHERE =
  'fastify-google-id-token is imported, but not registered in this app, so anyone could call them. Register it on the app itself, before it is ready.'
