import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request of Express. Its router sets these while it looks for a route. */
type RoutedRequest = IncomingMessage & {
  /** The path at which the router is mounted, as it was requested. */
  readonly baseUrl?: string
  /** The route, once it is found. Its path may also be a pattern or a list. */
  readonly route?: { readonly path: unknown }
}

const MOST_NAMES = 1_000

/**
 * The names of routes, `/orders/:id`. Where a router is mounted at a path with parameters, a name has
 * what the caller wrote there. So there may be any number of names, and only the first 1,000 count.
 */
export class RouteNames {
  readonly #known = new Set<string>()

  /** The name of a request's route; `undefined` before it is found, as in `app.use`. */
  of({ baseUrl = '', route }: RoutedRequest): string | undefined {
    if (route === undefined) return undefined
    const name = `${baseUrl}${String(route.path)}`
    if (this.#known.has(name)) return name
    if (this.#known.size >= MOST_NAMES) return undefined
    this.#known.add(name)
    return name
  }
}

/** Calls back once the route is known, at the latest when the response is over. */
export function whenRouted(
  request: RoutedRequest,
  response: ServerResponse,
  run: () => void,
): void {
  if (request.route !== undefined || response.closed) run()
  else response.once('close', run)
}
