import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import type { Test } from 'tap'
import googleIdToken from '../../src/index.ts'
import { bearer, jwks, stripped } from './cloud-run-front.ts'
import type { Parts } from './desync-payloads.ts'
import { otherIssuer } from './issuer.ts'
import { audience, login } from './shop.ts'

/** A service that notes what arrives, and what the plugin lets in. */
export interface Recorder {
  readonly port: number
  readonly url: string
  /** The requests whose head arrived, with the token that decides. */
  readonly heads: { readonly line: string; readonly token: string }[]
  /** The requests that were let in and arrived whole: method, target and body. */
  readonly granted: string[]
  /** The codes of what Node's parser refused. */
  readonly refused: string[]
}

/** @param options - besides the audience and a list with one account */
export async function startRecorder(
  t: Test,
  options: { trustRemovedSignature?: boolean },
): Promise<Recorder> {
  const heads: Recorder['heads'] = []
  const granted: string[] = []
  const refused: string[] = []
  const app = Fastify({
    forceCloseConnections: true,
    clientErrorHandler(error, socket) {
      refused.push(String(error.code))
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    },
  })
  t.teardown(() => app.close())
  await app.register(googleIdToken, { audience, allowedCallers: [login], jwks, ...options })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => {
    done(null)
  })
  app.all('*', async ({ method, url, raw }) => {
    granted.push(`${method} ${url} ${await text(raw)}`)
    return 'ok'
  })
  app.server.prependListener('request', ({ method, url, headers }: IncomingMessage) => {
    const { 'x-serverless-authorization': serverless, authorization } = headers
    heads.push({ line: `${method} ${url}`, token: String(serverless ?? authorization) })
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, url, heads, granted, refused }
}

/** The service behind the front end believes this one. The front end does not. */
const forged = stripped(await otherIssuer.idToken({ email: login, audience }))

/** What every payload is made of; the targets say which one arrives. */
export function partsOf(index: number): Parts {
  return {
    target: `/first/${index}`,
    token: `X-Serverless-Authorization: ${bearer}\r\nAuthorization: ${bearer}\r\n`,
    smuggled: `GET /smuggled/${index} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${forged}\r\n\r\n`,
  }
}
