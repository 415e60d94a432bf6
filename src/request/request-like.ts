/** Headers as an object, or as pairs. A WHATWG `Headers` is a list of pairs too. */
export type HeadersLike =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string]>

/**
 * The parts of a request that are read. An `http.IncomingMessage` has them all, and so has HTTP/2's
 * request.
 */
export interface RequestHeaders {
  /** The headers. Where `rawHeaders` are there, those are read instead. */
  readonly headers: HeadersLike
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders?: readonly string[] | undefined
  /** 1 or 2, as Node has it. */
  readonly httpVersionMajor?: number | null | undefined
  /** The connection, as Node has it. */
  readonly socket?: object | null | undefined
}

/**
 * A request as any framework has it: an `http.IncomingMessage`, HTTP/2's, a WHATWG `Request`, an
 * object with `headers`, or one that holds such a request in `raw`, as Fastify's and Hono's do.
 */
export type RequestLike =
  | RequestHeaders
  | {
      /** The request that the framework got. */
      readonly raw: RequestHeaders
    }

/**
 * The request whose headers are read. A framework's own request object may keep only the first of two
 * equal headers, so the one that it holds in `raw` is preferred.
 *
 * @throws TypeError where there are no headers to read
 */
export function requestHeadersOf(request: RequestLike): RequestHeaders {
  const source: unknown = 'raw' in Object(request) ? (request as { raw: unknown }).raw : request
  const { headers } = Object(source) as { headers: unknown }
  if (typeof headers !== 'object' || headers === null) {
    throw new TypeError(
      'authenticate takes a request with headers: an http.IncomingMessage, a WHATWG Request, or { headers }',
    )
  }
  return source as RequestHeaders
}

/**
 * Names and values of all headers in turn. A WHATWG `Headers` has joined equal headers with a
 * comma. No token contains a comma, so two tokens are still distinguished from one.
 */
export function rawHeadersOf({ rawHeaders, headers }: RequestHeaders): readonly string[] {
  if (rawHeaders !== undefined) return rawHeaders
  // A framework or a test may put any value there. A value that is not a string holds no token.
  const pairs: [string, unknown][] =
    Symbol.iterator in headers ? Array.from(headers, (pair) => [...pair]) : Object.entries(headers)
  return pairs.flatMap(([name, value]) =>
    value === undefined
      ? []
      : [value].flat().flatMap((one) => [name, typeof one === 'string' ? one : '']),
  )
}
