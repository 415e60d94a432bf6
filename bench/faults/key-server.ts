import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** How the server answers one request; `document` is the set of keys as it should be. */
export type Answer = (response: ServerResponse, document: string, request: IncomingMessage) => void

/** A key endpoint on loopback that can be made to fail in every way. */
export interface KeyServer {
  readonly uri: string
  /** What it publishes when it answers well. */
  jwks: { readonly keys: readonly object[] }
  /** How it answers from now on. */
  answer: Answer
  /** Requests that have reached it. */
  readonly requests: number
  /** Loses the listener, and every connection with it. */
  lose: () => Promise<void>
  /** Listens on the same port again. */
  regain: () => Promise<void>
  close: () => Promise<void>
}

/** Where it always answers well, for a redirect that leads somewhere. */
export const GOOD_PATH = '/good'

/** Answers as Google's endpoint does. */
export const well: Answer = (response, document) => {
  response.writeHead(200, {
    'cache-control': 'public, max-age=600, must-revalidate, no-transform',
  })
  response.end(document)
}

/**
 * Starts a key server on a free loopback port; it answers well.
 *
 * @param write - the document for a JWK set; default: the set itself
 */
export async function startKeyServer(
  jwks: KeyServer['jwks'],
  write: (jwks: KeyServer['jwks']) => string = JSON.stringify,
): Promise<KeyServer> {
  const sockets = new Set<Socket>()
  let requests = 0
  const server: Server = createServer((request, response) => {
    requests += 1
    // A client that gives up on a response resets it.
    response.on('error', () => undefined)
    response.setHeader('content-type', 'application/json; charset=UTF-8')
    const answer = request.url === GOOD_PATH ? well : keyServer.answer
    answer(response, write(keyServer.jwks), request)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
  const lose = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
      for (const socket of sockets) socket.destroy()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const keyServer: KeyServer = {
    uri: `http://127.0.0.1:${port}/oauth2/v3/certs`,
    jwks,
    answer: well,
    get requests() {
      return requests
    },
    lose,
    regain: () => listen(port),
    close: async () => {
      if (server.listening) await lose()
    },
  }
  return keyServer
}
