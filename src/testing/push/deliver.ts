/** Sends the one request of a push, with its token, and tells what came of it. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { TestIdToken } from '../issuer/test-issuer-options.ts'
import { pushToken } from '../issuer/token-sources.ts'
import type { PushTarget } from './push-options.ts'

/** What a push needs of the emulator. */
export interface PushSource {
  readonly idToken: (token: TestIdToken) => Promise<string>
  readonly clock: () => Date
  readonly settings: { readonly projectId: string }
}

/** What a product sends, without the token. */
export interface PushRequest {
  readonly method: string
  /** In the product's own spelling. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

/** The statuses that the Fetch standard allows no body with. */
const NULL_BODY_STATUSES = [204, 205, 304]

/**
 * Sends one request.
 *
 * Redirects are answers like any other: the token is for this target alone.
 *
 * @returns the whole answer, whatever its status
 * @throws what the connection failed with, or the reason of the signal
 */
export async function deliver(
  google: PushSource,
  target: PushTarget,
  request: PushRequest,
): Promise<Response> {
  const token = await google.idToken(pushToken(target.serviceAccount, target.audience))
  const headers = { ...request.headers, Authorization: `Bearer ${token}` }
  return send(target, { ...request, headers })
}

/**
 * Not with `fetch`, which adds headers of its own, and which the tests of an app may have replaced.
 */
function send(
  { url, signal }: PushTarget,
  { method, headers, body }: PushRequest,
): Promise<Response> {
  const request = url.toLowerCase().startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject((signal.aborted ? signal.reason : error) as Error)
    }
    // No agent: no connection outlives its push.
    const outgoing = request(url, { method, headers, signal, agent: false }, (incoming) => {
      wholeAnswer(incoming).then(resolve, fail)
    })
    outgoing.on('error', fail).end(body)
  })
}

async function wholeAnswer(incoming: IncomingMessage): Promise<Response> {
  const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(String(rawHeaders[index]), String(rawHeaders[index + 1]))
  }
  const body = await buffer(incoming)
  return new Response(NULL_BODY_STATUSES.includes(status) ? null : body, {
    status,
    statusText,
    headers,
  })
}
