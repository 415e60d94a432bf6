import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

/** A request as it came. */
export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A service on loopback that keeps what it is sent. */
export interface RecordingService {
  readonly url: string
  readonly requests: RecordedRequest[]
  /** The tokens of the requests so far. */
  readonly tokens: () => (string | undefined)[]
}

/** @param respond - answers; by default with 200 and `ok` */
export async function startService(
  t: Test,
  respond: (request: RecordedRequest, response: ServerResponse) => void = (_, response) => {
    response.end('ok')
  },
): Promise<RecordingService> {
  const requests: RecordedRequest[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const { method = '', url = '', headers } = request
      const recorded = { method, url, headers, body: await text(request) }
      requests.push(recorded)
      respond(recorded, response)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    tokens: () => requests.map(({ headers }) => headers.authorization?.replace('Bearer ', '')),
  }
}
