import { isRedirect, notFollowed, redirectedRequest } from './follow-redirect.ts'
import { canBeSentAgain, type OutgoingRequest } from './outgoing-request.ts'
import type { ServiceClientSettings } from './service-client-options.ts'
import { withoutCredentials, withToken } from './token-headers.ts'

/** Where tokens come from. */
export interface TokenSupply {
  readonly get: (signal: AbortSignal | undefined) => string | Promise<string>
  /** Another token than the refused one; `null` if there is none. */
  readonly replace: (refused: string, signal: AbortSignal | undefined) => Promise<string | null>
}

/** What is needed to send. */
export interface SendOptions extends Pick<ServiceClientSettings, 'fetch' | 'tokenHeaders' | 'url'> {
  readonly tokens: TokenSupply
}

/** The Fetch standard's own limit. */
const MOST_REDIRECTS = 20

/**
 * Sends a request with a token, and follows redirects itself: `fetch` would send
 * `X-Serverless-Authorization` to any other origin.
 */
export async function send(request: OutgoingRequest, options: SendOptions): Promise<Response> {
  let next = request
  let retries = 1
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    if (next.url.origin !== options.url.origin) return sendElsewhere(next, options)
    const { response, retried } = await ask(next, retries, options)
    if (next.redirect !== 'follow' || !isRedirect(response)) return response
    if (retried) retries = 0
    await discard(response)
    next = redirectedRequest(next, response)
  }
  throw notFollowed('there were too many')
}

async function ask(
  request: OutgoingRequest,
  retries: number,
  options: SendOptions,
): Promise<{ response: Response; retried: boolean }> {
  const { signal } = request
  const token = await options.tokens.get(signal)
  const response = await sendWith(token, request, options)
  if (response.status !== 401 || retries === 0 || !canBeSentAgain(request)) {
    return { response, retried: false }
  }
  const fresh = await options.tokens.replace(token, signal)
  if (fresh === null) return { response, retried: false }
  await discard(response)
  return { response: await sendWith(fresh, request, options), retried: true }
}

function sendWith(
  token: string,
  request: OutgoingRequest,
  { fetch, tokenHeaders }: SendOptions,
): Promise<Response> {
  return fetch(request.url, {
    ...initOf(request),
    headers: withToken(request.headers, token, tokenHeaders),
    redirect: request.redirect === 'follow' ? 'manual' : request.redirect,
  })
}

/**
 * Like `fetch`: after a redirect to another origin, the token is not sent again, even if a
 * later redirect leads back to the first origin.
 */
function sendElsewhere(
  request: OutgoingRequest,
  { fetch, tokenHeaders }: SendOptions,
): Promise<Response> {
  return fetch(request.url, {
    ...initOf(request),
    headers: withoutCredentials(request.headers, tokenHeaders),
    redirect: 'follow',
  })
}

function initOf({ method, body, signal, rest }: OutgoingRequest): RequestInit {
  return { ...rest, method, body: body ?? null, signal: signal ?? null }
}

/** Frees the connection of a response that nobody will read. */
async function discard({ body }: Response): Promise<void> {
  await body?.cancel().catch(() => undefined)
}
