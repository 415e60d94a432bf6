import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { GOOGLE_ID_TOKEN } from '../../profiles/google-id-token.ts'
import { tokenIn } from '../../request/bearer-token.ts'
import type { TokenHeader } from '../../request/deciding-header.ts'
import { MARKER } from '../../request/removed-signature.ts'
import { endToEndHeaders, type Header } from './end-to-end-headers.ts'

/** The front end writes these itself. */
const REPLACED = /^(?:x-forwarded-for|x-forwarded-proto|forwarded)$/i

/** https://cloud.google.com/functions/docs/reference/headers: nobody but Google may send them. */
const RESERVED = /^x-google-/i

/** What happens to the headers of a request that is let in. */
export interface Passage {
  /** The header whose token loses its signature. */
  readonly stripped: TokenHeader | null
  /** The headers that are removed. */
  readonly removed: RegExp
  /** The headers that are added. */
  readonly added: readonly Header[]
}

/**
 * Methods for which Node expects no body. With any other method, a request without a body says
 * `Content-Length: 0` (RFC 9110 section 8.6).
 */
const BODILESS = /^(?:GET|HEAD|DELETE|OPTIONS|TRACE)$/

/**
 * The headers that the service gets: those of the request, changed as its passage says, and with
 * the headers of the front end about the origin of the request.
 */
export function serviceHeaders(
  request: IncomingMessage,
  { stripped, removed, added }: Passage,
  target: URL,
): Header[] {
  const sent = endToEndHeaders(request.rawHeaders)
  return [
    // HTTP/1.0 may omit it. The request is passed on as HTTP/1.1, which requires it.
    ...(request.headers.host === undefined ? [['Host', target.host] satisfies Header] : []),
    ...sent
      .filter(([name]) => !REPLACED.test(name) && !RESERVED.test(name) && !removed.test(name))
      .map(([name, value]): Header =>
        name.toLowerCase() === stripped ? [name, withoutSignature(value)] : [name, value],
      ),
    ...added,
    ...framing(request),
    ...origin(request),
    ...trace(request),
  ]
}

/** The third segment is replaced; the scheme and the rest of the token stay byte for byte. */
export function withoutSignature(value: string): string {
  const isToken = tokenIn(value, GOOGLE_ID_TOKEN.presentation.scheme)?.split('.').length === 3
  return isToken ? `${value.slice(0, value.lastIndexOf('.'))}${MARKER}` : value
}

/** Without this header Node would announce a body of unknown length, even if there is none. */
function framing({ headers, method }: IncomingMessage): Header[] {
  const isFramed = 'content-length' in headers || 'transfer-encoding' in headers
  return isFramed || BODILESS.test(String(method)) ? [] : [['Content-Length', '0']]
}

/**
 * The caller's address is the last one of the list; the caller may have written the ones before it.
 */
function origin({ headers, socket }: IncomingMessage): Header[] {
  // No longer known if the caller has reset the connection (RFC 7239 section 6.2).
  const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
  const node = isIPv6(address) ? `[${address}]` : address
  const list = (name: string, last: string): string =>
    [...[headers[name] ?? []].flat(), last].join()
  return [
    ['X-Forwarded-For', list('x-forwarded-for', address)],
    ['X-Forwarded-Proto', 'https'],
    // RFC 7239 section 4.
    ['Forwarded', list('forwarded', `for="${node}";proto=https`)],
  ]
}

/** One trace in both forms: https://cloud.google.com/trace/docs/trace-context */
function trace({ headers }: IncomingMessage): Header[] {
  const cloud = headers['x-cloud-trace-context']
  const { traceparent } = headers
  const span = randomBytes(8)
  const id =
    /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(traceparent))?.[1] ??
    /^[0-9a-f]{32}/.exec(String(cloud))?.[0] ??
    randomBytes(16).toString('hex')
  const added: Header[] = []
  if (cloud === undefined) {
    added.push(['X-Cloud-Trace-Context', `${id}/${span.readBigUInt64BE().toString()};o=1`])
  }
  if (traceparent === undefined) added.push(['traceparent', `00-${id}-${span.toString('hex')}-01`])
  return added
}
