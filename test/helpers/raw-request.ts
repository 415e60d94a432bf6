/** Requests written byte by byte: duplicated headers, odd case, bodies that never come. */
import { connect } from 'node:net'

/** An HTTP/1.1 response as it came over the socket. */
export interface RawResponse {
  readonly status: number
  /** By name in lower case; of a repeated one the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What is sent: the headers in this order and this spelling. */
export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** Sends the head of a request, and nothing after it, and reads until the server hangs up. */
export function rawRequest(
  port: number,
  { method = 'GET', path = '/', headers = [] }: RawRequest,
): Promise<RawResponse> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => {
      resolve(parsed(received))
    })
  })
}

function parsed(received: string): RawResponse {
  const end = received.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: received.slice(end + 4),
  }
}
