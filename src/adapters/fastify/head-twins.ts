import type { DeclaredRoute } from './declared-route.ts'
import { ownIdToken } from './route-config.ts'

/**
 * Routes without the `HEAD` twin that Fastify makes of a GET route, and of the GET route's own twin
 * with a trailing slash, from its options: the same handler, guarded in the same way.
 *
 * The GET routes are looked up, not searched: an app may have thousands.
 */
export function withoutHeadTwins(routes: readonly DeclaredRoute[]): readonly DeclaredRoute[] {
  const gets = new Map<string, Map<unknown, Set<unknown>>>()
  for (const { method, url, handler, options } of routes) {
    if (![method].flat().includes('GET')) continue
    const handlers = gets.get(url) ?? new Map<unknown, Set<unknown>>()
    const idTokens = handlers.get(handler) ?? new Set<unknown>()
    gets.set(url, handlers.set(handler, idTokens.add(ownIdToken(options.config))))
  }
  const isTwin = ({ method, url, handler, options }: DeclaredRoute): boolean =>
    method === 'HEAD' &&
    [url, url.replace(/\/$/, '')].some((one) =>
      gets.get(one)?.get(handler)?.has(ownIdToken(options.config)),
    )
  return routes.filter((route) => !isTwin(route))
}
