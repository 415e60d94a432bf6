import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import { rawHeadersOf, type RequestHeaders } from './request-like.ts'

/** A header that may carry the token, in lower case: one of these, or the option `twinHeader`. */
export type TokenHeader =
  | 'x-goog-iap-jwt-assertion'
  | 'x-serverless-authorization'
  | 'authorization'
  | (string & Record<never, never>)

/**
 * The value of a header as it was sent; `undefined` where it was not sent;
 * `ID_TOKEN_REQUEST_MALFORMED` where it was sent twice, or may have been lost among too many.
 *
 * `request.headers` cannot be asked: of two Authorization headers it keeps the first, and two
 * X-Serverless-Authorization headers it joins, so that an attacker's could hide behind another.
 */
export function headerValue(
  request: RequestHeaders,
  name: TokenHeader,
): string | undefined | IdTokenError {
  const raw = rawHeadersOf(request)
  if (isCutOff(request, raw)) {
    return refusal('ID_TOKEN_REQUEST_MALFORMED', {
      expected: 'fewer headers than the server keeps',
      found: raw.length / 2,
    })
  }
  let value: string | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!isNamed(raw[i], name)) continue
    if (value !== undefined) {
      return refusal('ID_TOKEN_REQUEST_MALFORMED', {
        expected: `one ${name} header`,
        found: 'more than one',
      })
    }
    value = raw[i + 1]
  }
  return value
}

/** `http.Server` keeps this many headers where `maxHeadersCount` does not say otherwise. */
const HEADERS_KEPT = 1000

/**
 * Node drops the headers past `server.maxHeadersCount` without a word, so that of a long list nobody
 * can say what is missing: it may be the header that decides, or the second of two.
 */
function isCutOff({ socket }: RequestHeaders, raw: readonly string[]): boolean {
  const server = (socket as { server?: { maxHeadersCount?: number | null } } | undefined)?.server
  const kept = server?.maxHeadersCount ?? HEADERS_KEPT
  return kept > 0 && raw.length >= 2 * kept
}

/** The name of the header that decides, even where it is repeated; `null` where there is none. */
export function decidingHeaderName(
  request: RequestHeaders,
  names: readonly TokenHeader[],
): TokenHeader | null {
  const raw = rawHeadersOf(request)
  const isSent = (name: TokenHeader): boolean =>
    raw.some((sent, i) => i % 2 === 0 && isNamed(sent, name))
  return names.find(isSent) ?? null
}

/** The lengths differ for nearly every header, which saves lower-casing each of them. */
function isNamed(sent: string | undefined, name: TokenHeader): boolean {
  return sent?.length === name.length && sent.toLowerCase() === name
}

/** The header that decides, and its value as sent. */
export interface DecidingHeader {
  readonly name: TokenHeader
  readonly value: string
}

/**
 * The header that decides: the first of these that was sent, even empty; `null` where none was;
 * `ID_TOKEN_REQUEST_MALFORMED` where it was sent twice.
 */
export function decidingHeader(
  request: RequestHeaders,
  names: readonly TokenHeader[],
): DecidingHeader | null | IdTokenError {
  for (const name of names) {
    const value = headerValue(request, name)
    if (value instanceof IdTokenError) return value
    if (value !== undefined) return { name, value }
  }
  return null
}
