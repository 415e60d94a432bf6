import { Agent, request as http1 } from 'node:http'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'

/** A client of one service, with connections that are kept. */
export interface Sender {
  /**
   * The status of the answer, when it has come whole; `aborted` if the client has gone away.
   *
   * @param abortAfter - milliseconds after which the client goes away
   */
  readonly send: (
    port: number,
    headers: Readonly<Record<string, string>>,
    abortAfter?: number,
  ) => Promise<number | 'aborted'>
  readonly close: () => void
}

/** Over HTTP/1.1. */
export function http1Sender(): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const send: Sender['send'] = (port, headers, abortAfter) =>
    new Promise((resolve, reject) => {
      const sent = http1({ port, host: '127.0.0.1', agent, headers }, (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode ?? 0)
        })
        response.on('error', reject)
      })
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The server may close an idle connection just as a request is written to it.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(port, headers))
        else reject(error)
      })
      sent.end()
      if (abortAfter !== undefined) {
        void sleep(abortAfter).then(() => {
          resolve('aborted')
          sent.destroy()
        })
      }
    })
  return {
    send,
    close: () => {
      agent.destroy()
    },
  }
}

/** Over HTTP/2 without TLS. */
export function http2Sender(): Sender {
  let session: ClientHttp2Session | undefined
  const sessionWith = (port: number): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(`http://127.0.0.1:${port}`)
      session.on('error', () => undefined)
    }
    return session
  }
  return {
    send: (port, headers, abortAfter) =>
      new Promise((resolve, reject) => {
        const stream = sessionWith(port).request({ ':path': '/', ...headers })
        let status = 0
        stream.on('response', ({ ':status': answered }) => {
          status = answered ?? 0
        })
        stream.on('error', reject)
        stream.resume().on('end', () => {
          resolve(status)
        })
        stream.end()
        if (abortAfter !== undefined) {
          void sleep(abortAfter).then(() => {
            resolve('aborted')
            stream.close(constants.NGHTTP2_CANCEL)
          })
        }
      }),
    close: () => {
      session?.destroy()
    },
  }
}
