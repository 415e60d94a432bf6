import { FIELD_NAME } from '../../checks/field-name.ts'

/** One header, as it was sent. */
export type Header = [name: string, value: string]

/**
 * The headers of RFC 9110 section 7.6.1, except those that frame the body. Proxy-Authorization
 * (section 11.7.2) is one of them too. `Trailer` because of
 * https://cloud.google.com/functions/docs/reference/headers; the trailers themselves pass.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]

/**
 * Headers that a sender must not be able to remove by naming them in Connection. Without
 * X-Serverless-Authorization the service would look at an Authorization header that nobody has
 * checked; without the framing headers, a body would be read as the next request.
 */
const KEPT = [
  'authorization',
  'x-serverless-authorization',
  'host',
  'content-length',
  'transfer-encoding',
]

/**
 * Whether every name is a field name. Older versions of Node take a space before the colon for a part
 * of the name. A request with one must be refused (RFC 9112 section 5.1).
 */
export function areFieldNames(rawHeaders: readonly string[]): boolean {
  return rawHeaders.every((name, i) => i % 2 === 1 || FIELD_NAME.test(name))
}

/** Names and values, in order, repeated ones too. */
export function headersOf(rawHeaders: readonly string[]): Header[] {
  return rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name, String(rawHeaders[i + 1])] satisfies Header] : [],
  )
}

/** The headers that are not only for one connection. */
export function endToEndHeaders(rawHeaders: readonly string[]): Header[] {
  const headers = headersOf(rawHeaders)
  const dropped = new Set(HOP_BY_HOP)
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== 'connection') continue
    for (const option of value.split(',')) dropped.add(option.trim().toLowerCase())
  }
  for (const name of KEPT) dropped.delete(name)
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()))
}
