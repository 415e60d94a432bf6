import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import { rawHeadersOf, type RequestHeaders } from './request-like.ts'

/** A header that may carry the token, in lower case: one of these, or the option `twinHeader`. */
export type TokenHeader =
  | 'x-goog-iap-jwt-assertion'
  | 'x-serverless-authorization'
  | 'authorization'
  | (string & Record<never, never>)

/**
 * The value of a header as it was sent; `undefined` if it was not sent;
 * `ID_TOKEN_REQUEST_MALFORMED` if it was sent twice, or if Node may have dropped it because there
 * were too many headers.
 *
 * `request.headers` is no use: of two Authorization headers it keeps the first, and it joins two
 * X-Serverless-Authorization headers. So the header of an attacker could hide behind another one.
 */
export function headerValue(
  request: RequestHeaders,
  name: TokenHeader,
): string | undefined | IdTokenError {
  const raw = rawHeadersOf(request)
  return cutOffRefusal(request, raw) ?? valueIn(raw, name)
}

function valueIn(raw: readonly string[], name: TokenHeader): string | undefined | IdTokenError {
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

/** `http.Server` keeps this many headers if `maxHeadersCount` is not set. */
const HEADERS_KEPT = 1000

/**
 * Node silently drops the headers after `server.maxHeadersCount`. So a header may be missing from a
 * long list: the one that decides, or a second one of the same name.
 */
function cutOffRefusal(
  { socket }: RequestHeaders,
  raw: readonly string[],
): IdTokenError | undefined {
  const server = (socket as { server?: { maxHeadersCount?: number | null } } | undefined)?.server
  const kept = server?.maxHeadersCount ?? HEADERS_KEPT
  if (kept <= 0 || raw.length < 2 * kept) return undefined
  return refusal('ID_TOKEN_REQUEST_MALFORMED', {
    expected: 'fewer headers than the server keeps',
    found: raw.length / 2,
  })
}

/** The name of the header that decides, even if it is repeated; `null` if there is none. */
export function decidingHeaderName(
  request: RequestHeaders,
  names: readonly TokenHeader[],
): TokenHeader | null {
  const raw = rawHeadersOf(request)
  const isSent = (name: TokenHeader): boolean =>
    raw.some((sent, i) => i % 2 === 0 && isNamed(sent, name))
  return names.find(isSent) ?? null
}

/** Nearly all headers differ in length, so few have to be converted to lower case. */
function isNamed(sent: string | undefined, name: TokenHeader): boolean {
  return sent === name || (sent?.length === name.length && sent.toLowerCase() === name)
}

/** The header that decides, and its value as sent. */
export interface DecidingHeader {
  readonly name: TokenHeader
  readonly value: string
}

/**
 * The header that decides: the first of `names` that was sent, even if it is empty; `null` if none
 * was sent; `ID_TOKEN_REQUEST_MALFORMED` if it was sent twice, or may have been dropped.
 */
export function decidingHeader(
  request: RequestHeaders,
  names: readonly TokenHeader[],
): DecidingHeader | null | IdTokenError {
  const raw = rawHeadersOf(request)
  const cutOff = cutOffRefusal(request, raw)
  if (cutOff !== undefined) return cutOff
  for (const name of names) {
    const value = valueIn(raw, name)
    if (value instanceof IdTokenError) return value
    if (value !== undefined) return { name, value }
  }
  return null
}
