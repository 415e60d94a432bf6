/** What a fetch of the key set needs of the outside world. */
export interface JwksRequest {
  readonly uri: string
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds for headers and body together. */
  readonly timeout: number
  /** Ends the request from outside. */
  readonly signal: AbortSignal
}

const LARGEST_BODY = 64 * 1024

/**
 * Fetches the JWK set document.
 *
 * Only a plain 200 counts: a redirect would hand the choice of keys to whoever answers it.
 *
 * @throws Error saying what went wrong; it quotes nothing of the answer but its status
 */
export async function fetchJwks(request: JwksRequest): Promise<unknown> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeout)])
  return Promise.race([download(request, signal), aborted(signal)])
}

async function download(request: JwksRequest, signal: AbortSignal): Promise<unknown> {
  const init: RequestInit & { cache: 'no-store' } = {
    signal,
    redirect: 'manual',
    // A framework's patched fetch may otherwise answer from a cache of its own.
    cache: 'no-store',
    headers: { accept: 'application/json' },
  }
  const response = await request.fetch(request.uri, init)
  try {
    if (response.status !== 200) throw new Error(`the key endpoint answered ${response.status}`)
    return parsedJson(await boundedText(response))
  } catch (error) {
    // Frees the connection of an answer that is not read to its end.
    await response.body?.cancel().catch(() => undefined)
    throw error
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the answer.
    throw new Error('the key endpoint did not answer with JSON')
  }
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > LARGEST_BODY) throw new Error(`the key endpoint answered over ${LARGEST_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An injected `fetch` may not heed the signal; nobody must wait for it all the same. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        reject(
          signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
            ? new Error('the key endpoint did not answer in time')
            : new Error('the verifier was closed'),
        )
      },
      { once: true },
    )
  })
}
