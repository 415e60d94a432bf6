import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { listenOnLoopback } from './listen-on-loopback.ts'

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
  return {
    url: await listenOnLoopback(t, server),
    requests,
    tokens: () => requests.map(({ headers }) => headers.authorization?.replace('Bearer ', '')),
  }
}
