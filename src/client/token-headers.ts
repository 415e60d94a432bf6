/**
 * Headers with credentials for one origin. The Fetch standard removes some of them for other
 * origins.
 */
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
 * The headers of a request with this client's token, and with no other token: if the token of an
 * incoming request were passed on by mistake, this service would act in the name of its caller.
 *
 * If the token is not sent in `Authorization`, that header belongs to the application.
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
