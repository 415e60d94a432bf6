import type { TokenHeaders } from './service-client-options.ts'

/** Headers that prove to one origin who asks; the Fetch standard keeps some of them from others. */
const BOUND_TO_ORIGIN = [
  'authorization',
  'x-serverless-authorization',
  'proxy-authorization',
  'cookie',
  'host',
]

/**
 * The headers of a request with our token, and with nobody else's: those of an incoming request,
 * passed along by mistake, would make this service speak in the name of its caller.
 *
 * Where the token goes into `X-Serverless-Authorization` alone, `Authorization` is the application's.
 */
export function withToken(headers: Headers, token: string, header: TokenHeaders): Headers {
  const sent = new Headers(headers)
  sent.delete('x-serverless-authorization')
  if (header !== 'authorization') sent.set('x-serverless-authorization', `Bearer ${token}`)
  if (header !== 'x-serverless-authorization') sent.set('authorization', `Bearer ${token}`)
  return sent
}

/** The headers that another origin may see. */
export function withoutCredentials(headers: Headers): Headers {
  const sent = new Headers(headers)
  for (const name of BOUND_TO_ORIGIN) sent.delete(name)
  return sent
}
