import { IdTokenError } from './id-token-error.ts'

/** Which request was refused, as far as a log may know it. */
export interface RefusedRequest {
  readonly method: string
  /** The route, or the path without its query; `undefined` where no route was found. */
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
  error: Error,
  request: RefusedRequest,
  log: { warn: (finding: object, message: string) => void } | undefined,
): Readonly<Record<string, string>> {
  if (!(error instanceof IdTokenError)) return {}
  const { code, detail, message, headers } = error
  log?.warn({ code, detail, ...request }, `ID token refused: ${message}`)
  return headers
}
