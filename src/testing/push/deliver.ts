/** Sends the request of a push with its token, and returns the answer. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { TestIdToken } from '../issuer/test-issuer-options.ts'
import { pushToken } from '../issuer/token-sources.ts'
import type { PushTarget } from './push-options.ts'

/** The parts of the emulator that a push needs. */
export interface PushSource {
  readonly idToken: (token: TestIdToken) => Promise<string>
  readonly clock: () => Date
  readonly settings: { readonly projectId: string }
}

/** The request of a product, without the token. */
export interface PushRequest {
  readonly method: string
  /** Spelled as the product spells them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

/** The statuses for which the Fetch standard allows no body. */
const NULL_BODY_STATUSES = [204, 205, 304]

/**
 * Sends one request.
 *
 * Redirects are not followed: the token is only for this target.
 *
 * @returns the whole answer, whatever its status
 * @throws the error of the connection, or the reason of the signal
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

/** `fetch` is not used: it adds its own headers, and the tests of an app may have replaced it. */
function send(
  { url, signal }: PushTarget,
  { method, headers, body }: PushRequest,
): Promise<Response> {
  const request = url.toLowerCase().startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject((signal.aborted ? signal.reason : error) as Error)
    }
    // No agent, so that the connection ends with the push.
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
