import { within } from '../pacing/within.ts'
import type { ResponseHeaders } from './freshness.ts'

/** One request for a key set. */
export interface JwksRequest {
  readonly uri: string
  readonly fetch: typeof globalThis.fetch
  /** The entity tag of the last good answer, if it had one. */
  readonly etag: string | undefined
  /** Ends the request: after the timeout, or from outside. */
  readonly signal: AbortSignal
}

/** What the endpoint answered. */
export interface JwksAnswer {
  /** `undefined`: the last document is still right (304). */
  readonly document: unknown
  readonly headers: ResponseHeaders
}

const LARGEST_BODY = 64 * 1024

/**
 * Asks the endpoint for its JWK set, once.
 *
 * Only 200 counts, and 304 where an entity tag was sent: a redirect would hand the choice of keys
 * to the server that it names.
 *
 * @throws Error saying what went wrong; it quotes nothing of the answer but its status
 */
export function fetchJwks(request: JwksRequest): Promise<JwksAnswer> {
  // An injected `fetch` may not heed the signal; nobody must wait for it all the same.
  return within(ask(request), { signal: request.signal })
}

async function ask({ uri, fetch, etag, signal }: JwksRequest): Promise<JwksAnswer> {
  const init: RequestInit & { cache: 'no-store' } = {
    signal,
    redirect: 'manual',
    // A framework's patched fetch may otherwise answer from a cache of its own.
    cache: 'no-store',
    headers: { accept: 'application/json', ...(etag !== undefined && { 'if-none-match': etag }) },
  }
  const response = await fetch(uri, init)
  try {
    return await read(response, etag !== undefined)
  } catch (error) {
    // Frees the connection of an answer that is not read to its end.
    await response.body?.cancel().catch(() => undefined)
    throw error
  }
}

async function read(response: Response, conditional: boolean): Promise<JwksAnswer> {
  const { status, redirected } = response
  const headers = Object.fromEntries(response.headers)
  if (status === 304 && conditional) return { document: undefined, headers }
  if (status !== 200 || redirected) throw new Error(`the key endpoint answered ${status}`)
  const text = await boundedText(response)
  try {
    return { document: JSON.parse(text), headers }
  } catch {
    // The parser's own message quotes the answer.
    throw new Error('the key endpoint did not answer with JSON')
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > LARGEST_BODY) throw new Error(`the key endpoint answered over ${LARGEST_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
