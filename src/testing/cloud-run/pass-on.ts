import {
  request as requestTo,
  type IncomingMessage,
  type OutgoingMessage,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { answer } from './answer.ts'
import { endToEndHeaders, headersOf, type Header } from './end-to-end-headers.ts'
import { arrivingTarget } from './unsupported-requests.ts'

/** A request and its response. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The limit of the service must apply, not that of the front end. */
export const MAX_HEADER_SIZE = 64 * 1024

/** Continues with the protocol that the service has agreed to. */
export type TakeUpgrade = (agreed: IncomingMessage, socket: Socket, head: Buffer) => void

/**
 * Passes a request on to the service with these headers, and the answer back. Bodies are not changed.
 *
 * @param takeUpgrade - for a request that offers an upgrade
 */
export function passOn(
  { request, response }: Exchange,
  { target, headers }: { readonly target: URL; readonly headers: readonly Header[] },
  takeUpgrade?: TakeUpgrade,
): void {
  const unavailable = (): void => {
    answer(request, response, 503)
  }
  const passed = requestTo(target, {
    method: request.method,
    path: arrivingTarget(String(request.url)),
    headers: headers.flat(),
    // One connection for each request: an idle one may be closed just when a request is written to
    // it.
    agent: false,
    maxHeaderSize: MAX_HEADER_SIZE,
  })
  passed.maxHeadersCount = 0
  passed.on('information', (information) => {
    passInformation({ request, response }, information)
  })
  passed.on('response', (answered) => {
    passBack({ request, response }, answered)
  })
  // There was no request to upgrade, so the client does not expect it.
  const refuseUpgrade: TakeUpgrade = (_, socket) => {
    socket.destroy()
    unavailable()
  }
  passed.on('upgrade', takeUpgrade ?? refuseUpgrade)
  passed.on('error', () => {
    if (!response.headersSent && !response.destroyed) unavailable()
  })
  // The client has gone. Or it has its answer, and nobody needs the rest of its body.
  response.on('close', () => passed.destroy())
  request.on('end', () => {
    passed.addTrailers(headersOf(request.rawTrailers))
  })
  // The service gets the head of a request before any part of the body.
  flushHead(passed)
  request.pipe(passed)
  // The body is read to its end; otherwise the next request on the connection would never be read.
  passed.on('close', () => request.resume())
}

/** Like `flushHeaders`, which would write bytes outside of ASCII as UTF-8 and so change them. */
function flushHead(message: OutgoingMessage): void {
  message.write('', 'latin1')
}

interface Information {
  readonly statusCode: number
  readonly statusMessage: string
  readonly rawHeaders: readonly string[]
}

/** Passes on an informational response, which HTTP/1.0 does not have (RFC 9110 section 15.2). */
function passInformation({ request, response }: Exchange, information: Information): void {
  if (request.httpVersion === '1.0') return
  if (information.statusCode === 100) response.writeContinue()
  else response.socket?.write(headOf(information, headersOf(information.rawHeaders)), 'latin1')
}

/** The bytes of the head of a response. */
export function headOf(
  { statusCode, statusMessage }: Pick<Information, 'statusCode' | 'statusMessage'>,
  headers: readonly Header[],
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}

function passBack({ request, response }: Exchange, answered: IncomingMessage): void {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answered
  // The HTTP version of the client decides how the body ends.
  const headers = endToEndHeaders(rawHeaders).filter(
    ([name]) => name.toLowerCase() !== 'transfer-encoding',
  )
  try {
    response.writeHead(statusCode, statusMessage, headers.flat())
  } catch {
    answered.destroy()
    answer(request, response, 503)
    return
  }
  flushHead(response)
  answered.on('end', () => {
    response.addTrailers(headersOf(answered.rawTrailers))
  })
  // If one connection breaks, cuts the other one.
  pipeline(answered, response, () => undefined)
}
