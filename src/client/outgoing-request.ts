import { redactSecrets } from './redact-secrets.ts'
import { ServiceClientError } from './service-client-error.ts'

/** The first argument of `fetch`. */
export type FetchInput = string | URL | Request

/** A request that is about to be sent, and may be sent again. */
export interface OutgoingRequest {
  readonly url: URL
  readonly method: string
  /** As the caller gave them: without this client's token, but perhaps with another one. */
  readonly headers: Headers
  readonly body: RequestInit['body']
  readonly redirect: NonNullable<RequestInit['redirect']>
  readonly signal: AbortSignal | undefined
  /** The other options of `fetch`. */
  readonly rest: RequestInit
}

/**
 * Makes one request of the two arguments of `fetch`.
 *
 * @param base - the base of relative URLs; only its origin is called
 * @throws ServiceClientError `SERVICE_CLIENT_URL_NOT_ALLOWED`
 */
export function outgoingRequest(
  input: FetchInput,
  init: RequestInit | undefined,
  base: URL,
): OutgoingRequest {
  const options = isRequest(input) ? { ...initOf(input), ...init } : { ...init }
  const { method = 'GET', headers, body, redirect = 'follow', signal, ...rest } = options
  return {
    url: parseUrl(isRequest(input) ? input.url : String(input), base),
    // Fetch standard, "normalize a method": other methods are case-sensitive.
    method: /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method,
    headers: new Headers(headers),
    body,
    redirect,
    signal: signal ?? undefined,
    rest,
  }
}

/** Whether its body, if it has one, can be read more than once. */
export function canBeSentAgain({ body }: OutgoingRequest): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    body instanceof SharedArrayBuffer ||
    ArrayBuffer.isView(body)
  )
}

/** Whether this is a `Request`, of any copy of undici. */
function isRequest(input: FetchInput): input is Request {
  return typeof input === 'object' && 'url' in input && 'method' in input
}

/** The body of a `Request` is a stream, even if it was made from a string. */
function initOf(request: Request): RequestInit {
  const { method, headers, body, redirect, signal, integrity, keepalive, credentials } = request
  return {
    method,
    headers,
    ...(body !== null && { body, duplex: 'half' }),
    redirect,
    signal,
    integrity,
    keepalive,
    credentials,
  }
}

function parseUrl(input: string, base: URL): URL {
  const url = URL.canParse(input, base.href) ? new URL(input, base) : null
  if (url?.origin !== base.origin) {
    // The query is left out, because it may hold a secret.
    throw notAllowed(url === null ? 'it is no URL' : `it is of ${url.origin}, not ${base.origin}`)
  }
  if (url.username !== '' || url.password !== '') throw notAllowed('it holds credentials')
  return url
}

function notAllowed(reason: string): ServiceClientError {
  // The URL standard does not limit the length of a host.
  return new ServiceClientError('SERVICE_CLIENT_URL_NOT_ALLOWED', { reason: redactSecrets(reason) })
}
