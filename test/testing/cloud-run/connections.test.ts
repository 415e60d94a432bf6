/** What ends or outlives a connection, and what is refused on it; websockets. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { on, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, createServer, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import googleIdToken from '../../../src/index.ts'
import { type CloudRunFrontend } from '../../../src/testing.ts'
import {
  bearer,
  exchangeRaw,
  frontOf,
  jwks,
  passing,
  send,
  serviceOf,
  UNAVAILABLE,
} from '../../helpers/cloud-run-front.ts'
import { audience, login, search } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

t.test('one request after the other on a connection', async (t) => {
  const { service, port } = await passing(t, (request, response) => {
    void text(request).then((body) => response.end(`[${String(request.url)} ${body}]`))
  })
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  const received = await exchangeRaw(port, get('/1') + get('/2') + get('/3'), /\[\/3 \]/)
  t.strictSame(received.match(/\[.*?\]/g), ['[/1 ]', '[/2 ]', '[/3 ]'])
  t.equal(service.requests[0]?.headers.host, 'a')

  const socket = connect(port, '127.0.0.1').resume()
  socket.write(get('/4') + get('/5'))
  await once(service.server, 'request')
  socket.destroy()
  await setTimeout(50)
  t.equal(service.requests.length, 4, 'none for who has gone')
})

t.test('if one side disconnects, so does the other', async (t) => {
  await t.test('the client, as it sends', async (t) => {
    const { service, front } = await passing(t, (request) => request.resume())
    const { request } = send(front, { method: 'POST' })
    request.on('error', () => undefined)
    request.write('a')
    const [received] = (await once(service.server, 'request')) as [IncomingMessage]
    const gone = once(received, 'aborted')
    request.destroy()
    await gone
    t.notOk(received.complete)
  })
  await t.test('the client, as it waits and as it receives', async (t) => {
    let answers = false
    const { service, front } = await passing(t, (_, response) => {
      if (answers) response.write('a')
    })
    for (answers of [false, true]) {
      const { request, response } = send(front)
      request.on('error', () => undefined).end()
      const [received] = (await once(service.server, 'request')) as [IncomingMessage]
      if (answers) await response
      const gone = once(received.socket, 'close')
      request.destroy()
      await gone
    }
  })
  await t.test('the client, while the keys are fetched', async (t) => {
    const keys = createServer().listen(0, '127.0.0.1')
    t.teardown(() => keys.close())
    await once(keys, 'listening')
    const { requests, url } = await serviceOf(t)
    const jwksUri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`
    const front = await frontOf(t, url, { jwks: undefined, jwksUri })
    const { request } = send(front, { headers: { authorization: bearer } })
    request.on('error', () => undefined).end()
    const [, response] = (await once(keys, 'request')) as [IncomingMessage, ServerResponse]
    request.destroy()
    await setTimeout(100)
    response.setHeader('connection', 'close').end(JSON.stringify(jwks))
    t.equal((await fetch(front.url, { headers: { authorization: bearer } })).status, 200)
    t.equal(requests.length, 1, 'the one that has waited')
  })
  await t.test('the service, before it answers', async (t) => {
    const { front } = await passing(t, (request) => request.socket.resetAndDestroy())
    const response = await fetch(front.url)
    t.equal(response.status, 503)
    t.equal(await response.text(), UNAVAILABLE)
  })
  await t.test('the service, as it answers', async (t) => {
    const { front } = await passing(t, (request, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('half')
      setImmediate(() => request.socket.resetAndDestroy())
    })
    const { request, response } = send(front)
    request.end()
    const answered = await response
    await t.rejects(text(answered), { code: 'ECONNRESET' })
    t.notOk(answered.complete)
  })
  await t.test('the service that is not there', async (t) => {
    const { front, service } = await passing(t)
    service.server.close()
    const response = await fetch(front.url, { method: 'POST', body: Buffer.alloc(1024 * 1024) })
    t.equal(response.status, 503)
    t.equal(await response.text(), UNAVAILABLE)
  })
})

t.test('an answer that comes before the end of the body', async (t) => {
  const { front } = await passing(t, (_, response) => {
    response.writeHead(413, { connection: 'close' }).end('too large')
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => {
    agent.destroy()
  })
  const { request, response } = send(front, { method: 'POST', agent })
  request.write('a')
  const answered = await response
  t.equal(answered.statusCode, 413)
  t.equal(await text(answered), 'too large')
  request.write(Buffer.alloc(4 * 1024 * 1024))
  request.end()
  const next = send(front, { agent })
  next.request.end()
  t.equal((await next.response).statusCode, 413, 'the connection goes on')
  t.equal(next.request.socket, request.socket)
})

t.test('a refusal does not wait for the body', async (t) => {
  const { requests, url } = await serviceOf(t)
  const front = await frontOf(t, url)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => {
    agent.destroy()
  })
  const { request, response } = send(front, { method: 'POST', agent })
  request.flushHeaders()
  t.equal((await response).statusCode, 403)
  ;(await response).resume()
  request.end(Buffer.alloc(4 * 1024 * 1024))
  const next = send(front, { agent, headers: { authorization: bearer } })
  next.request.end()
  t.equal((await next.response).statusCode, 200, 'the connection goes on')
  t.equal(next.request.socket, request.socket)
  t.equal(requests.length, 1)
})

t.test('input that is not HTTP is answered, and the front end goes on', async (t) => {
  const { front, service, port } = await passing(t, ({ url, socket }) => {
    if (url === '/status') socket.end('HTTP/1.1 099 Odd\r\n\r\n')
    else if (url === '/bytes') socket.end('SSH-2.0-OpenSSH\r\n')
    else if (url === '/upgrade')
      socket.write('HTTP/1.1 101 Odd\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  for (const path of ['/status', '/bytes', '/upgrade']) {
    const response = await fetch(front.url + path)
    t.equal(response.status, 503, path)
    t.equal(await response.text(), UNAVAILABLE, path)
  }
  for (const bytes of [
    'hello\r\n\r\n',
    '\x16\x03\x01\x00\xa5\x01\x00',
    'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nConnection: close\r\n\r\n',
  ]) {
    t.match(await exchangeRaw(port, bytes), /^(?:$|HTTP\/1\.1 4\d\d )/)
  }
  t.strictSame(
    service.requests.map(({ url }) => url),
    ['/status', '/bytes', '/upgrade'],
  )
  t.equal((await fetch(front.url)).status, 200)
})

t.test('a header name that is no token is refused, and nothing after it is read', async (t) => {
  const { service, port } = await passing(t)
  // Node 20.19 takes the space of "Authorization :" for a part of the name. Newer ones refuse it.
  const read = (message: unknown): void => {
    const { request, server } = message as { request: IncomingMessage; server: unknown }
    if (server !== service.server) request.rawHeaders.push('Authorization ', 'Bearer x')
  }
  subscribe('http.server.request.start', read)
  t.teardown(() => unsubscribe('http.server.request.start', read))
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const received = await exchangeRaw(port, request + request)
  t.match(received, /^HTTP\/1\.1 400 Bad Request\r\n(?![^]*HTTP\/)/)
  t.equal(service.requests.length, 0)
})

t.test('a body that says nothing of its length is no next request', async (t) => {
  const { service, port } = await passing(t)
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
  const head =
    'DELETE /one HTTP/1.1\r\nHost: a\r\nConnection: close, Transfer-Encoding, Content-Length\r\n'
  await exchangeRaw(
    port,
    `${head}Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  )
  await exchangeRaw(port, `${head}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`)
  t.strictSame(
    service.requests.map(({ url }) => url),
    ['/one', '/one'],
  )
})

/** A websocket to the front end, and how it opens: with `101`, or with the status of a refusal. */
async function websocketTo(front: CloudRunFrontend, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${front.url.replace('http', 'ws')}/echo?a=b`, { headers })
  socket.on('error', () => undefined)
  const messages = on(socket, 'message') as AsyncIterableIterator<[Buffer]>
  const received = async (): Promise<Buffer> => {
    const { value } = (await messages.next()) as IteratorYieldResult<[Buffer]>
    return value[0]
  }
  const status = await new Promise<number>((resolve) => {
    socket.on('upgrade', () => {
      resolve(101)
    })
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  return { socket, status, received }
}

t.test('websockets', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(websocket)
  await app.register(googleIdToken, { audience, allowedCallers: [login], jwks })
  app.get('/echo', { websocket: true }, (socket, request) => {
    socket.send(`hello ${String(request.caller.email)}`)
    socket.on('message', (data: Buffer) => {
      socket.send(data)
    })
    socket.on('close', () => closed.push('the service'))
  })
  const closed: string[] = []
  const target = await app.listen({ port: 0 })
  const front = await frontOf(t, target, { invokers: [login, search] })

  const both = { authorization: bearer, 'x-serverless-authorization': bearer }
  const { socket, status, received } = await websocketTo(front, both)
  t.equal(status, 101)
  t.equal(String(await received()), `hello ${login}`)
  const large = Buffer.alloc(8 * 1024 * 1024, 'xyz')
  socket.send(large)
  t.ok(large.equals(await received()))
  socket.close(1000)
  t.equal((await once(socket, 'close'))[0], 1000)

  t.equal((await websocketTo(front)).status, 403, 'the front end')
  t.equal((await websocketTo(front, { authorization: `${bearer}x` })).status, 401, 'the front end')
  t.equal((await websocketTo(front, { authorization: bearer })).status, 401, 'the plugin')
  const other = `Bearer ${await issuer.idToken({ email: search, audience })}`
  const unlisted = { authorization: other, 'x-serverless-authorization': other }
  t.equal((await websocketTo(front, unlisted)).status, 403, 'the plugin')

  const open = await websocketTo(front, both)
  const ended = once(open.socket, 'close')
  await front.close()
  t.equal((await ended)[0], 1006)
  await app.close()
  t.equal(closed.length, 2)
  const gone = await frontOf(t, target)
  t.equal((await websocketTo(gone, both)).status, 503)
})

/** The handshake of RFC 6455 section 1.3, written by hand. */
const HANDSHAKE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

t.test('a handshake is passed on, and nothing after it unless the service agrees', async (t) => {
  const { service, front, port } = await passing(t, (_, response) => response.end('no websockets'))
  const next = 'GET /not-checked HTTP/1.1\r\nHost: a\r\n\r\n'
  const plain = await exchangeRaw(port, HANDSHAKE + next)
  t.match(plain, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nno websockets$/)
  t.match(plain, /^connection: close\r$/im)
  t.strictSame(
    service.requests.map(({ url }) => url),
    ['/chat'],
  )

  service.server.on('upgrade', (request: IncomingMessage, socket: Socket, head) => {
    service.requests.push(request)
    socket.write(
      'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: \xe9\r\n\r\nearly',
      'latin1',
    )
    if (request.headers['x-end'] === undefined) socket.pipe(socket)
    else socket.end('bye')
    t.equal(String(head), '')
  })
  const echoed = await exchangeRaw(port, `${HANDSHAKE}late`, /late$/)
  t.equal(
    echoed,
    'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: \xe9\r\n\r\nearlylate',
  )
  const { headers } = service.requests.at(-1) ?? {}
  t.match(headers, { upgrade: 'websocket', connection: 'Upgrade', 'x-forwarded-proto': 'https' })
  t.match(await exchangeRaw(port, HANDSHAKE.replace('Host', 'X-End: 1\r\nHost')), /earlybye$/)
  const { requests } = service

  const slow = await exchangeRaw(port, next + HANDSHAKE, /early$/)
  t.match(slow, /^HTTP\/1\.1 200 OK[^]*no websocketsHTTP\/1\.1 101 Switching/, 'after an answer')
  const cut = connect(port, '127.0.0.1').resume()
  cut.write(HANDSHAKE)
  await once(cut, 'data')
  const socket = requests.at(-1)?.socket as Socket
  const gone = once(socket, 'close')
  cut.resetAndDestroy()
  await gone
  await front.close()
})

t.test('no other upgrade is offered to the service', async (t) => {
  const { service, port } = await passing(t, (request, response) => {
    void text(request).then((body) => response.end(`[${String(request.url)} ${body.length}]`))
  })
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const large = 'x'.repeat(300_000)
  const h2c = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n'
  const posts = Array.from(
    { length: 20 },
    (_, i) =>
      `POST /${i} HTTP/1.1\r\nHost: a\r\n${h2c}Content-Length: ${large.length}\r\n\r\n${large}`,
  )
  const received = await exchangeRaw(port, posts.join(''), /\[\/19 /)
  t.strictSame(
    received.match(/\[.*?\]/g),
    posts.map((_, i) => `[/${i} ${large.length}]`),
  )
  t.notMatch(service.requests[0]?.rawHeaders.join(), /upgrade|h2c|http2/i)
  const body = HANDSHAKE.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nhi')
  t.match(await exchangeRaw(port, body, /\]/), /\[\/chat 2\]/, 'a handshake has no body')
  const chunked = HANDSHAKE.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
  t.match(await exchangeRaw(port, chunked, /\]/), /\[\/chat 0\]/)
  const post = HANDSHAKE.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n')
  t.match(await exchangeRaw(port, post, /\]/), /\[\/chat 0\]/)
  t.strictSame(warnings, [])

  const { url } = await frontOf(t, service.url)
  const expecting =
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n'
  for (const upgrade of [HANDSHAKE, posts[0] ?? '']) {
    const last = await exchangeRaw(Number(new URL(url).port), expecting + upgrade)
    t.match(last, /^HTTP\/1\.1 403 Forbidden[^]*<\/html>\n$/, 'an answer that is the last one')
  }
})

t.test('close ends every connection, and can be called again', async (t) => {
  const { service, front, port } = await passing(t, () => undefined)
  const idle = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(idle, 'connect')
  const { request, response } = send(front)
  request.on('error', () => undefined).end()
  const [received] = (await once(service.server, 'request')) as [IncomingMessage]
  const closed = [once(idle, 'close'), once(received.socket, 'close')]
  await Promise.all([front.close(), front.close()])
  await Promise.all(closed)
  await t.rejects(response)
  await t.rejects(fetch(front.url))
  await front.close()
})
