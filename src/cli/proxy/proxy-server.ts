import { createServer, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, Server, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { ServiceClient } from '../../client/create-service-client.ts'
import type { ServiceClientError } from '../../client/service-client-error.ts'
import { endToEndHeaders, type Header } from '../../testing/cloud-run/end-to-end-headers.ts'
import { join, responseOn } from '../../testing/cloud-run/websocket.ts'
import { oneLineText } from '../../errors/one-line.ts'
import { withoutCredentials } from '../../testing/emulator/request-log.ts'
import { proxyRefusal } from './proxy-refusal.ts'

/** What the proxy passes requests on to. */
export interface ProxyTarget {
  readonly url: URL
  readonly client: ServiceClient
  /** Tells that a request was not passed on, or that the service has refused it. */
  readonly failed: (line: string) => void
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A server that adds a token to each request and passes it on, streaming both ways. */
export function proxyServer(target: ProxyTarget): Server {
  const server = createServer((request, response) => {
    void passOn({ request, response }, target, [])
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const response = responseOn(socket, request)
    const upgrade: Header[] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', String(request.headers.upgrade)],
    ]
    void passOn({ request, response }, target, upgrade).then((passed) => {
      passed?.on('upgrade', (agreed: IncomingMessage, service: Socket, serviceHead: Buffer) => {
        response.detachSocket(socket)
        join({ socket, head }, { socket: service, head: serviceHead }, agreed)
      })
    })
  })
  return server
}

async function passOn(
  exchange: Exchange,
  target: ProxyTarget,
  upgrade: readonly Header[],
): Promise<ClientRequest | null> {
  const { request, response } = exchange
  const refused = proxyRefusal(request)
  if (refused !== null) {
    answer(exchange, 403, refused)
    return null
  }
  const token = await tokenOf(target)
  if (typeof token !== 'string') {
    const line = `${token.code}: ${token.message}`
    answer(exchange, 502, line)
    target.failed(line)
    return null
  }
  const passed = send(request, target, [...passedHeaders(request, target.url, token), ...upgrade])
  passed.on('response', (answered) => {
    if (answered.statusCode === 401 || answered.statusCode === 403) {
      target.failed(refusalLine(request, answered))
    }
    passBack(response, answered)
  })
  passed.on('error', ({ message }) => {
    if (response.headersSent || response.destroyed) return
    answer(exchange, 502, `The service cannot be reached: ${message}`)
    target.failed(`The service cannot be reached: ${message}`)
  })
  // The client has gone.
  response.on('close', () => {
    if (!response.writableFinished) passed.destroy()
  })
  request.pipe(passed)
  return passed
}

/** A service that verifies tokens says why in its challenge (RFC 6750 section 3). */
function refusalLine({ method, url = '' }: IncomingMessage, answered: IncomingMessage): string {
  const challenge = answered.headers['www-authenticate']
  const why = challenge === undefined ? '' : `: ${oneLineText(withoutCredentials(challenge))}`
  const path = oneLineText(withoutCredentials(url.replace(/\?.*/s, '')))
  return `The service answers ${String(answered.statusCode)} to ${String(method)} ${path}${why}`
}

/** Without a signal, the client throws nothing else. */
function tokenOf({ client }: ProxyTarget): Promise<string | ServiceClientError> {
  return client.idToken().catch((error: unknown) => error as ServiceClientError)
}

function send(
  { method, url }: IncomingMessage,
  target: ProxyTarget,
  headers: readonly Header[],
): ClientRequest {
  const { protocol, hostname, port } = target.url
  const request = protocol === 'https:' ? httpsRequest : httpRequest
  return request({
    protocol,
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    method,
    path: url,
    headers: headers.flat(),
    setHost: false,
    // A connection for each request: an idle one may be closed just when a request is written to it.
    agent: false,
  })
}

/**
 * The token is in X-Serverless-Authorization, where Cloud Run looks first. The service needs it
 * intact in Authorization as well, unless the application uses that header itself.
 */
function passedHeaders(request: IncomingMessage, { host }: URL, token: string): Header[] {
  const replaced = ['host', 'x-serverless-authorization']
  const kept = endToEndHeaders(request.rawHeaders).filter(
    ([name]) => !replaced.includes(name.toLowerCase()),
  )
  const bearer = `Bearer ${token}`
  return [
    ['Host', host],
    ...kept,
    ['X-Serverless-Authorization', bearer],
    ...(request.headers.authorization === undefined
      ? [['Authorization', bearer] satisfies Header]
      : []),
  ]
}

function passBack(response: ServerResponse, answered: IncomingMessage): void {
  const headers = endToEndHeaders(answered.rawHeaders).filter(
    ([name]) => name.toLowerCase() !== 'transfer-encoding',
  )
  response.writeHead(Number(answered.statusCode), answered.statusMessage, headers.flat())
  response.flushHeaders()
  pipeline(answered, response, () => undefined)
}

function answer({ request, response }: Exchange, status: number, text: string): void {
  // The rest of the body is read and dropped: a client that is still sending may not read the answer.
  request.resume()
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}
