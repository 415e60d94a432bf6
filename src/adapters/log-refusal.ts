import type { IdTokenError } from '../errors/id-token-error.ts'
import { oneLineText } from '../errors/one-line.ts'

/** The refused request: only what a log may hold. */
export interface RefusedRequest {
  readonly method: string
  /** The route, or the path of the request; `undefined` if no route was found. */
  readonly route: string | undefined
  /** The header that decided; `null` if there was none. */
  readonly header: string | null
  /** `false` if the request was let in anyway (`reportOnly`). */
  readonly enforced: boolean
}

/**
 * Logs why a request was refused: `code` and `detail` at `warn`. Single claims and the `kid` may be
 * in them, never the token or a segment of it.
 */
export function logRefusal(
  refusal: IdTokenError,
  request: RefusedRequest,
  log: { warn: (finding: object, message: string) => void },
): void {
  const { code, detail, message } = refusal
  const { method, route, header, enforced } = request
  log.warn(
    { code, detail, method, route: route && loggedPath(route), header, enforced },
    `ID token ${enforced ? 'refused' : 'would be refused'}: ${message}`,
  )
}

/**
 * A path without its query, fragment and path parameters (RFC 3986 section 3.3). These may hold
 * credentials too: `;access_token=…`.
 */
function loggedPath(path: string): string {
  return oneLineText(path.slice(0, path.search(/[?#;]|$/)))
}
