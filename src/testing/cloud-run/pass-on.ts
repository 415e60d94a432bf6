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

/** A request, and the response that it is answered with. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The service's limit is to be the one that is met, not the front end's. */
export const MAX_HEADER_SIZE = 64 * 1024

/** Takes what the service has agreed to speak from here on. */
export type TakeUpgrade = (agreed: IncomingMessage, socket: Socket, head: Buffer) => void

/**
 * Passes a request on to the service, and what it answers back: both as they come.
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
    // One connection for each: an idle one may be closed just as a request is written to it.
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
  // Nobody has asked, so that no one would speak it.
  const refuseUpgrade: TakeUpgrade = (_, socket) => {
    socket.destroy()
    unavailable()
  }
  passed.on('upgrade', takeUpgrade ?? refuseUpgrade)
  passed.on('error', () => {
    if (!response.headersSent && !response.destroyed) unavailable()
  })
  // The client has gone, or has its answer and the rest of its body is of no interest.
  response.on('close', () => passed.destroy())
  request.on('end', () => {
    passed.addTrailers(headersOf(request.rawTrailers))
  })
  // The service gets to know of a request before there is anything of its body.
  flushHead(passed)
  request.pipe(passed)
  // Read to its end, or the next request on the connection would never be seen.
  passed.on('close', () => request.resume())
}

/** As `flushHeaders`, which would write bytes outside of ASCII as UTF-8, where they came as one. */
function flushHead(message: OutgoingMessage): void {
  message.write('', 'latin1')
}

interface Information {
  readonly statusCode: number
  readonly statusMessage: string
  readonly rawHeaders: readonly string[]
}

/** Passes an informational response on, which HTTP/1.0 does not know (RFC 9110 section 15.2). */
function passInformation({ request, response }: Exchange, information: Information): void {
  if (request.httpVersion === '1.0') return
  if (information.statusCode === 100) response.writeContinue()
  else response.socket?.write(headOf(information, headersOf(information.rawHeaders)), 'latin1')
}

/** The head of a response, as it goes over the wire. */
export function headOf(
  { statusCode, statusMessage }: Pick<Information, 'statusCode' | 'statusMessage'>,
  headers: readonly Header[],
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}

function passBack({ request, response }: Exchange, answered: IncomingMessage): void {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answered
  // How it ends is up to what the client speaks.
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
  // Cuts the connection of the one where that of the other breaks.
  pipeline(answered, response, () => undefined)
}
