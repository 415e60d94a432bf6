import { IdTokenError } from './id-token-error.ts'

/**
 * Logs why a request was refused: `code` and `detail` at `warn`, never any part of a token.
 *
 * @returns the headers of the response that says so
 */
export function logRefusal(
  error: Error,
  log: { warn: (finding: object, message: string) => void } | undefined,
): Readonly<Record<string, string>> {
  if (!(error instanceof IdTokenError)) return {}
  log?.warn({ code: error.code, detail: error.detail }, `ID token refused: ${error.message}`)
  return error.headers
}
