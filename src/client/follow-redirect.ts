import { canBeSentAgain, type OutgoingRequest } from './outgoing-request.ts'

const REDIRECTS = [301, 302, 303, 307, 308]
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
]

/** Whether a response is a redirect. */
export function isRedirect({ status, headers }: Response): boolean {
  return REDIRECTS.includes(status) && headers.has('location')
}

/**
 * The request that a redirect asks for: "HTTP-redirect fetch" of the Fetch standard
 * (https://fetch.spec.whatwg.org/#http-redirect-fetch).
 *
 * @throws TypeError, like `fetch`, if it cannot be followed
 */
export function redirectedRequest(
  request: OutgoingRequest,
  { status, headers }: Response,
): OutgoingRequest {
  const url = targetOf(String(headers.get('location')), request.url)
  const { method } = request
  const becomesGet =
    (status === 303 && method !== 'GET' && method !== 'HEAD') ||
    ((status === 301 || status === 302) && method === 'POST')
  if (becomesGet) {
    const kept = new Headers(request.headers)
    for (const name of BODY_HEADERS) kept.delete(name)
    return { ...request, url, method: 'GET', headers: kept, body: null }
  }
  if (!canBeSentAgain(request)) throw notFollowed('its body was a stream, and is gone')
  return { ...request, url }
}

/** The error of `fetch`, which has the same text for every failure. */
export function notFollowed(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(`redirect not followed: ${reason}`) })
}

function targetOf(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw notFollowed('its target is no http URL')
  }
  if (url.hash === '') url.hash = from.hash
  return url
}
