import type { IdTokenError } from '../errors/id-token-error.ts'
import { oneLineText } from '../errors/one-line.ts'

/** Which request was refused, as far as a log may know it. */
export interface RefusedRequest {
  readonly method: string
  /** The route, or the path of the request; `undefined` where no route was found. */
  readonly route: string | undefined
  /** The header that decided, `null` where there was none. */
  readonly header: string | null
}

/**
 * Logs why a request was refused: `code` and `detail` at `warn`, never any part of a token.
 *
 * @returns the headers of the response that says so
 */
export function logRefusal(
  refusal: IdTokenError,
  request: RefusedRequest,
  log: { warn: (finding: object, message: string) => void } | undefined,
): Readonly<Record<string, string>> {
  const { code, detail, message, headers } = refusal
  const { method, route, header } = request
  log?.warn(
    { code, detail, method, route: route && loggedPath(route), header },
    `ID token refused: ${message}`,
  )
  return headers
}

/**
 * A path without its query, fragment and path parameters (RFC 3986 section 3.3), where credentials
 * are passed as well: `;access_token=…`.
 */
function loggedPath(path: string): string {
  return oneLineText(path.slice(0, path.search(/[?#;]|$/)))
}
