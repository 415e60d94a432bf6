/** Headers that prove to one origin who asks; the Fetch standard keeps some of them from others. */
const BOUND_TO_ORIGIN = [
  'authorization',
  'x-serverless-authorization',
  'proxy-authorization',
  'cookie',
  'host',
]

/**
 * The headers that carry the token, and their values.
 *
 * @param names - in lower case
 */
export function headersOf(token: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `Bearer ${token}`]))
}

/**
 * The headers of a request with our token, and with nobody else's: those of an incoming request,
 * passed along by mistake, would make this service speak in the name of its caller.
 *
 * `Authorization` is the application's where the token is not sent in it.
 */
export function withToken(headers: Headers, token: string, names: readonly string[]): Headers {
  const sent = new Headers(headers)
  sent.delete('x-serverless-authorization')
  for (const [name, value] of Object.entries(headersOf(token, names))) sent.set(name, value)
  return sent
}

/** The headers that another origin may see. */
export function withoutCredentials(headers: Headers, names: readonly string[]): Headers {
  const sent = new Headers(headers)
  for (const name of [...BOUND_TO_ORIGIN, ...names]) sent.delete(name)
  return sent
}
