import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { headersOf, type Header } from './end-to-end-headers.ts'
import { headOf } from './pass-on.ts'

/** The headers of an upgrade. They belong to the connection, so each connection gets new ones. */
export const WEBSOCKET_HEADERS: readonly Header[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
]

/** Whether this is the opening handshake of RFC 6455 section 4.1, which has no body. */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    /^websocket$/i.test(String(headers.upgrade)) &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  )
}

/** The response to the last request of a connection that Node no longer reads HTTP from. */
export function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => {
    socket.destroySoon()
  })
  return response
}

/** The bytes that have arrived, and the connection that sends more. */
export interface Side {
  readonly socket: Socket
  readonly head: Buffer
}

/** The service agrees: from now on bytes are passed in both directions, until either side ends. */
export function join(client: Side, service: Side, agreed: IncomingMessage): void {
  const { statusMessage = '', rawHeaders } = agreed
  client.socket.write(headOf({ statusCode: 101, statusMessage }, headersOf(rawHeaders)), 'latin1')
  client.socket.unshift(client.head)
  service.socket.unshift(service.head)
  pipeline(client.socket, service.socket, () => undefined)
  pipeline(service.socket, client.socket, () => undefined)
}
