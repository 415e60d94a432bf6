/** What a connection receives until it ends, as HTTP/1.1 responses (RFC 9112). */
import { connect } from 'node:net'

/** What is written on a connection. */
export interface RawExchange {
  readonly port: number
  /** As latin1. */
  readonly bytes: string
  /** How many responses to wait for, if the other side does not hang up before; 0: none. */
  readonly responses: number
}

/** Writes these bytes, and says that no more come once the responses are there. */
export function exchangeWhole({ port, bytes, responses }: RawExchange): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    // A server does not answer a client that has closed its side.
    const endOnceAnswered = (): void => {
      if (countOf(received) >= responses) socket.end()
    }
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      socket.write(bytes, 'latin1', endOnceAnswered)
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
      endOnceAnswered()
    })
    socket.on('end', () => socket.end())
    // A server may reset the connection of a request that it does not read to its end.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(received)
    })
  })
}

function countOf(received: string): number {
  try {
    return responsesIn(received).length
  } catch {
    return 0
  }
}

const HEAD =
  /^HTTP\/1\.1 ([1-5][0-9]{2}) [^\r\n]*\r\n((?:[!#$%&'*+.^_`|~0-9a-z-]+:[^\r\n\0]*\r\n)*)\r\n/i

/**
 * The statuses of the responses, which must be whole.
 *
 * @throws Error where something else is between them or after them
 */
export function responsesIn(received: string): number[] {
  const statuses: number[] = []
  for (let rest = received; rest !== '';) {
    const [head, status, headers = ''] = HEAD.exec(rest) ?? []
    if (head === undefined) throw new Error(`no response: ${JSON.stringify(rest)}`)
    statuses.push(Number(status))
    rest = afterBody(rest.slice(head.length), headers)
  }
  return statuses
}

/** What follows the body. */
function afterBody(rest: string, headers: string): string {
  const length = /^content-length: *([0-9]+)\r$/im.exec(headers)?.[1]
  const isChunked = /^transfer-encoding: *chunked\r$/im.test(headers)
  if (isChunked === (length !== undefined)) {
    // It ends with the connection (RFC 9112 section 6.3).
    if (length === undefined && /^connection: *close\r$/im.test(headers)) return ''
    throw new Error(`how long is the body? ${JSON.stringify(headers)}`)
  }
  if (length === undefined) return afterChunks(rest)
  if (rest.length < Number(length)) throw new Error(`cut off: ${JSON.stringify(rest)}`)
  return rest.slice(Number(length))
}

function afterChunks(rest: string): string {
  const [line, size] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? []
  if (line === undefined) throw new Error(`no chunk: ${JSON.stringify(rest)}`)
  const bytes = Number.parseInt(String(size), 16)
  const end = line.length + bytes
  if (rest.slice(end, end + 2) !== '\r\n')
    throw new Error(`no whole chunk: ${JSON.stringify(rest)}`)
  return bytes === 0 ? rest.slice(end + 2) : afterChunks(rest.slice(end + 2))
}
