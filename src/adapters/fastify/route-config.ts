/**
 * The `idToken` of a route's config. Fastify copies only own enumerable members of a config, so an
 * inherited one does not apply to the route.
 */
export function ownIdToken(config: object | undefined): unknown {
  return keepsIdToken(config) ? (config as { idToken: unknown }).idToken : undefined
}

/** Whether a config has an `idToken` that Fastify's copy has too. */
export function keepsIdToken(config: object | undefined): boolean {
  return Object.prototype.propertyIsEnumerable.call(Object(config), 'idToken')
}

/**
 * Whether a config has an `idToken` that Fastify's copy does not have: an inherited or hidden one.
 */
export function losesIdToken(config: object | undefined): boolean {
  return 'idToken' in (Object(config) as object) && !keepsIdToken(config)
}

/** A route as messages name it: `GET /profiles/:id`. */
export function routeName(method: string | readonly string[], url: string): string {
  return `${[method].flat().join()} ${url}`
}

const LONGEST_LIST = 10

/** The names of routes. If there are many: the first ones, and the number of the others. */
export function routeNames(
  routes: readonly { readonly method: string | readonly string[]; readonly url: string }[],
): string {
  const names = routes.slice(0, LONGEST_LIST).map(({ method, url }) => routeName(method, url))
  const more = routes.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
