/** A service behind a front end, and raw connections to that front end. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** What is deployed. */
export interface Service {
  readonly server: Server
  readonly url: string
  /** The heads of the requests so far. */
  readonly requests: IncomingMessage[]
}

/** What is deployed: by default it reads the body and says ok. */
export async function serviceOf(
  t: Test,
  listener: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('ok'))
  },
): Promise<Service> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { server, requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Writes these bytes on one connection; what comes back until it ends, or is in there. */
export async function exchangeRaw(port: number, bytes: string, until = /$^/): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1').write(bytes, 'latin1')
  let received = ''
  for await (const chunk of socket) {
    received += String(chunk)
    if (until.test(received)) break
  }
  socket.destroy()
  return received
}
