import type { DeclaredRoute } from './declared-route.ts'
import { ownIdToken } from './route-config.ts'

/**
 * Routes without the `HEAD` routes that Fastify adds for a GET route, and for the copy of the GET
 * route with a trailing slash. Fastify adds them with the same options, so they have the same
 * handler and the same guard.
 *
 * The GET routes are in a map, because an app may have thousands.
 */
export function withoutAddedHeadRoutes(routes: readonly DeclaredRoute[]): readonly DeclaredRoute[] {
  const gets = new Map<string, Map<unknown, Set<unknown>>>()
  for (const { method, url, handler, options } of routes) {
    if (![method].flat().includes('GET')) continue
    const handlers = gets.get(url) ?? new Map<unknown, Set<unknown>>()
    const idTokens = handlers.get(handler) ?? new Set<unknown>()
    gets.set(url, handlers.set(handler, idTokens.add(ownIdToken(options.config))))
  }
  const isAdded = ({ method, url, handler, options }: DeclaredRoute): boolean =>
    method === 'HEAD' &&
    [url, url.replace(/\/$/, '')].some((one) =>
      gets.get(one)?.get(handler)?.has(ownIdToken(options.config)),
    )
  return routes.filter((route) => !isAdded(route))
}
