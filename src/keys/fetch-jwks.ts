import { within } from '../pacing/within.ts'
import type { ResponseHeaders } from './freshness.ts'

/** One request for a key set. */
export interface JwksRequest {
  readonly uri: string
  readonly fetch: typeof globalThis.fetch
  /** The entity tag of the last good answer, if it had one. */
  readonly etag: string | undefined
  /** Ends the request: after the timeout, or when the key set is closed. */
  readonly signal: AbortSignal
}

/** What the endpoint answered. */
export interface JwksAnswer {
  /** `undefined`: the last document is still valid (304). */
  readonly document: unknown
  readonly headers: ResponseHeaders
}

const LARGEST_BODY = 64 * 1024

/**
 * Asks the endpoint for its JWK set, once.
 *
 * It accepts only 200, and 304 if an entity tag was sent. After a redirect, another server would
 * choose the keys.
 *
 * @throws Error saying what went wrong; it quotes only the status of the answer
 */
export function fetchJwks(request: JwksRequest): Promise<JwksAnswer> {
  // An injected `fetch` may ignore the signal, but nobody must wait for it.
  return within(ask(request), { signal: request.signal })
}

async function ask({ uri, fetch, etag, signal }: JwksRequest): Promise<JwksAnswer> {
  const init: RequestInit & { cache: 'no-store' } = {
    signal,
    redirect: 'manual',
    // Otherwise a `fetch` that a framework has patched may answer from its own cache.
    cache: 'no-store',
    headers: { accept: 'application/json', ...(etag !== undefined && { 'if-none-match': etag }) },
  }
  const response = await fetch(uri, init)
  try {
    return await read(response, etag !== undefined)
  } catch (error) {
    // Frees the connection of an answer that is not read completely.
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
