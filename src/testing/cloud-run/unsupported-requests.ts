/**
 * Requests that never arrive at a service on Cloud Run, and how the path of the others changes.
 *
 * @see https://cloud.google.com/run/docs/known-issues
 */
import type { IncomingMessage } from 'node:http'

/** "Requests using the HTTP methods TRACE and CONNECT are not supported." */
const UNSUPPORTED_METHODS: readonly unknown[] = ['TRACE', 'CONNECT']

/**
 * Google reserves `/eventlog`, `/_ah/…` and "some" paths that end in z. Of these, field reports
 * confirm only `/healthz`.
 */
const RESERVED_PATHS = /^\/(?:eventlog|_ah\/.*|healthz)$/s

/**
 * Whether Google's front end answers instead of the service, for every caller.
 *
 * @returns the status, or `null` for a request that goes to the service
 */
export function unsupported({ method, url }: IncomingMessage): 404 | 405 | null {
  if (UNSUPPORTED_METHODS.includes(method)) return 405
  return RESERVED_PATHS.test(pathOf(arrivingTarget(String(url)))) ? 404 : null
}

/**
 * The target of a request as it arrives: "some encoded characters are decoded", but Google names
 * only `%41`. Here the unreserved characters are decoded, whose two spellings are the same path
 * (RFC 3986 section 6.2.2.2). The query stays as it is.
 */
export function arrivingTarget(target: string): string {
  const [path = '', query] = target.split(/(\?.*)/s)
  return path.replace(/%[\da-f]{2}/gi, decodeUnreserved) + (query ?? '')
}

function decodeUnreserved(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : encoded
}

/** Without the query, and without the host of a target in absolute form (RFC 9112 section 3.2.2). */
function pathOf(target: string): string {
  return target.replace(/\?.*/s, '').replace(/^https?:\/\/[^/]*/i, '')
}
