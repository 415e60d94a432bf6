/** What the container and the client receive of each other: headers, bodies, trailers. */
import { on, once } from 'node:events'
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http'
import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { serviceHeaders } from '../../../src/testing/cloud-run/service-headers.ts'
import {
  bearer,
  exchangeRaw,
  frontOf,
  passing,
  REMOVED,
  send,
} from '../../helpers/cloud-run-front.ts'
import { rawRequest } from '../../helpers/raw-request.ts'

t.test('what the front end tells about a request', async (t) => {
  const { service, port } = await passing(t)
  const headersFor = async (
    headers: [name: string, value: string][] = [],
  ): Promise<IncomingHttpHeaders> => {
    await rawRequest(port, { headers })
    return service.requests.at(-1)?.headers ?? {}
  }
  const plain = await headersFor()
  t.match(plain, {
    host: '127.0.0.1',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    forwarded: 'for="127.0.0.1";proto=https',
    'x-cloud-trace-context': /^[0-9a-f]{32}\/\d+;o=1$/,
    traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
  })
  const [, id, span = ''] = /^00-(\w{32})-(\w{16})-01$/.exec(String(plain.traceparent)) ?? []
  t.equal(plain['x-cloud-trace-context'], `${String(id)}/${BigInt(`0x${span}`)};o=1`, 'one trace')

  t.match(
    await headersFor([
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-For', '192.0.2.2'],
      ['X-Forwarded-Proto', 'http'],
      ['Forwarded', 'for=192.0.2.1'],
    ]),
    {
      'x-forwarded-for': '192.0.2.1, 192.0.2.2,127.0.0.1',
      'x-forwarded-proto': 'https',
      forwarded: 'for=192.0.2.1,for="127.0.0.1";proto=https',
    },
    'after what the client says',
  )
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const traceparent = `00-${trace}-b7ad6b7169203331-00`
  const cloud = `${trace}/1`
  t.match(await headersFor([['traceparent', traceparent]]), {
    traceparent,
    'x-cloud-trace-context': new RegExp(`^${trace}/\\d+;o=1$`),
  })
  t.match(await headersFor([['X-Cloud-Trace-Context', cloud]]), {
    traceparent: new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`),
    'x-cloud-trace-context': cloud,
  })
  const both = { traceparent, 'x-cloud-trace-context': cloud }
  t.match(await headersFor(Object.entries(both)), both)

  const gone = new IncomingMessage(new Socket())
  const passage = { stripped: null, removed: /$^/, added: [] }
  t.match(
    serviceHeaders(gone, passage, new URL(service.url)).join('\n'),
    'X-Forwarded-For,unknown\n',
  )

  const six = await frontOf(t, service.url, { allowUnauthenticated: true, host: '::1' })
  t.match(six.url, /^http:\/\/\[::1\]:/)
  await fetch(six.url)
  t.match(service.requests.at(-1)?.headers, {
    'x-forwarded-for': '::1',
    forwarded: 'for="[::1]";proto=https',
  })
})

t.test('headers are passed on, unless they are of the connection', async (t) => {
  const { service, port } = await passing(t, (_, response) => {
    response.writeHead(200, 'Fine', [
      ...['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Hop', 'x', 'Connection', 'X-Hop'],
      ...['Keep-Alive', 'timeout=9', 'Proxy-Connection', 'keep-alive', 'X-Obs', '\xe9'],
    ])
    response.end(Buffer.from('ok'))
  })
  const head = (
    await exchangeRaw(
      port,
      'GET /a?b=c%20 HTTP/1.1\r\nHost: app.example\r\n' +
        'X-Repeated: 1\r\nx-repeated: 2\r\nX-Obs: \xe9\r\nX-Google-Apps-Metadata: x\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\n' +
        'TE: trailers\r\nTrailer: X-Sum\r\nX-Hop: x\r\nX-Serverless-Authorization: Bearer a.b.c\r\nAuthorization: x\r\n' +
        'Connection: close, x-hop , X-Serverless-Authorization, authorization, host\r\n\r\n',
    )
  ).split('\r\n')
  t.equal(head[0], 'HTTP/1.1 200 Fine')
  t.strictSame(
    head.filter((line) => /cookie/i.test(line)),
    ['Set-Cookie: a=1', 'set-cookie: b=2'],
  )
  t.ok(head.includes('X-Obs: \xe9'))
  t.notMatch(head.join('\n'), /X-Hop|timeout=9|Proxy-Connection/)
  const [request] = service.requests
  t.match(request, { url: '/a?b=c%20' })
  const sent = request?.rawHeaders.join('\n')
  t.match(sent, 'Host\napp.example\nX-Repeated\n1\nx-repeated\n2\nX-Obs\n\xe9\n')
  t.match(
    sent,
    `X-Serverless-Authorization\nBearer a.b.${REMOVED}\nAuthorization\nx\n`,
    'not to be dropped',
  )
  t.notMatch(sent, /X-Google|Keep-Alive|Proxy-|TE\n|Trailer|X-Hop/)
})

t.test('more headers than Node keeps', async (t) => {
  const { service, port } = await passing(t)
  const headers = Array.from({ length: 1200 }, (_, i) => [`a${i}`, ''] as const)
  const large = [['X-Large', 'x'.repeat(20_000)] as const]
  t.equal((await rawRequest(port, { headers: large })).status, 431, 'the service has its own limit')
  service.server.maxHeadersCount = 0
  const { port: strict } = new URL((await frontOf(t, service.url)).url)
  const last = ['X-Serverless-Authorization', 'Bearer x'] as const
  const signed = [['Authorization', bearer] as const, ...headers]
  t.equal((await rawRequest(Number(strict), { headers: [...signed, last] })).status, 401)
  t.equal((await rawRequest(Number(strict), { headers: signed })).status, 200)
  t.equal(service.requests.at(-1)?.rawHeaders.filter((name) => /^a\d+$/.test(name)).length, 1200)
})

t.test('answers come as they are sent', async (t) => {
  let next = (): void => undefined
  const { front } = await passing(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    let event = 0
    next = () => void response.write(`data: ${event++}\n\n`)
  })
  const { request, response: answered } = send(front)
  request.end()
  const response = await answered
  t.equal(response.headers['content-type'], 'text/event-stream', 'before there is an event')
  const events = on(response, 'data') as AsyncIterableIterator<[Buffer]>
  for (const event of [0, 1, 2]) {
    next()
    t.equal(String((await events.next()).value), `data: ${event}\n\n`)
  }
  request.on('error', () => undefined).destroy()
})

t.test('bodies come as they are sent', async (t) => {
  const { front } = await passing(t, (request, response) => {
    response.flushHeaders()
    request.pipe(response)
  })
  const { request, response } = send(front, { method: 'POST' })
  request.flushHeaders()
  const echo = await response
  for (const part of ['one', 'two', 'three']) {
    request.write(part)
    t.equal(String((await once(echo, 'data'))[0]), part)
  }
  request.end()
  await once(echo.resume(), 'end')
})

t.test('large bodies, in both directions', async (t) => {
  const size = 48 * 1024 * 1024
  const { service, front } = await passing(t, (request, response) => {
    response.writeHead(200, { 'content-length': size })
    request.pipe(response)
  })
  const body = Buffer.alloc(size, 'abcdefghijk')
  for (const headers of [{ 'content-length': size }, { 'transfer-encoding': 'chunked' }]) {
    const { request, response } = send(front, { method: 'DELETE', headers })
    request.end(body)
    const chunks: Buffer[] = []
    for await (const chunk of await response) chunks.push(chunk as Buffer)
    t.ok(Buffer.concat(chunks).equals(body))
    t.match(service.requests.at(-1)?.headers, headers)
  }
})

t.test('a sender has to wait for a receiver that does not read', async (t) => {
  const much = Buffer.alloc(1024 * 1024)
  let sent: NodeJS.WritableStream | undefined
  const { front } = await passing(t, (request, response) => {
    sent = response
    if (request.method === 'GET') response.write(much)
  })
  const held = async (stream: NodeJS.WritableStream): Promise<number> => {
    for (let megabytes = 1; megabytes < 100; megabytes++) {
      const drained = once(stream, 'drain').then(() => true)
      stream.write(much)
      if (!(await Promise.race([drained, setTimeout(300, false)]))) return megabytes
    }
    return Infinity
  }
  const up = send(front, { method: 'POST' })
  up.request.on('error', () => undefined)
  t.ok((await held(up.request)) < 30, 'the client')
  up.request.destroy()
  const down = send(front)
  down.request.end()
  ;(await down.response).pause()
  t.ok((await held(sent as unknown as NodeJS.WritableStream)) < 30, 'the service')
  down.request.destroy()
})

t.test('a request without a body stays one', async (t) => {
  const { service, front } = await passing(t)
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'PROPFIND', 'DELETE', 'HEAD', 'OPTIONS']) {
    const { request, response } = send(front, { method })
    request.removeHeader('transfer-encoding')
    request.removeHeader('content-length')
    request.end()
    ;(await response).resume()
    const { headers = {} } = service.requests.at(-1) ?? {}
    const expects = ['POST', 'PUT', 'PATCH', 'PROPFIND'].includes(method)
    t.equal(headers['content-length'], expects ? '0' : undefined, method)
    t.notOk('transfer-encoding' in headers, method)
  }
})

t.test('answers without a body', async (t) => {
  const { port } = await passing(t, ({ url = '' }, response) => {
    const status = Number(url.slice(1))
    response.writeHead(status, { etag: '"1"', ...(status !== 204 && { 'content-length': 42 }) })
    response.end()
  })
  const head = await rawRequest(port, { method: 'HEAD', path: '/200' })
  t.match(head, { status: 200, headers: { 'content-length': '42', etag: '"1"' }, body: '' })
  const unchanged = await rawRequest(port, { path: '/304' })
  t.match(unchanged, { status: 304, headers: { 'content-length': '42', etag: '"1"' }, body: '' })
  const empty = await rawRequest(port, { path: '/204' })
  t.match(empty, { status: 204, body: '' })
  t.notOk('transfer-encoding' in empty.headers)
})

t.test('trailers, in both directions', async (t) => {
  const { front } = await passing(t, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { trailer: 'X-Sum' })
      response.write('ok')
      response.addTrailers([['X-Sum', `${String(request.trailers['x-sum'])}, twice`]])
      response.end()
    })
  })
  const { request, response } = send(front, { method: 'POST', headers: { trailer: 'X-Sum' } })
  request.write('a')
  request.addTrailers({ 'X-Sum': '1' })
  request.end()
  const answered = await response
  await text(answered)
  t.strictSame(answered.trailers, { 'x-sum': '1, twice' })
})

t.test('100-continue is up to the service', async (t) => {
  const { service, front } = await passing(t)
  let refuses = false
  service.server.on('checkContinue', (request, response) => {
    if (refuses) {
      response.writeHead(413).end('no')
      return
    }
    response.writeContinue()
    void text(request).then((body) => response.end(body))
  })
  const headers = { expect: '100-continue' }
  const accepted = send(front, { method: 'POST', headers })
  accepted.request.flushHeaders()
  await once(accepted.request, 'continue')
  accepted.request.end('hello')
  t.equal(await text(await accepted.response), 'hello')

  refuses = true
  const refused = send(front, { method: 'POST', headers })
  let continued = false
  refused.request.on('continue', () => (continued = true))
  refused.request.flushHeaders()
  t.equal((await refused.response).statusCode, 413)
  t.notOk(continued)
  refused.request.destroy()

  const closed = await frontOf(t, service.url)
  const { request, response } = send(closed, { method: 'POST', headers })
  request.on('continue', () => (continued = true))
  request.flushHeaders()
  t.equal((await response).statusCode, 403)
  t.notOk(continued)
  request.destroy()
})

t.test('informational responses', async (t) => {
  const { port, front } = await passing(t, (_, response) => {
    response.writeProcessing()
    response.writeEarlyHints({ link: '</style.css>; rel=preload', 'x-hint': '1' })
    response.end('ok')
  })
  const { request, response } = send(front)
  const seen: unknown[] = []
  request.on('information', ({ statusCode, headers }) => seen.push([statusCode, headers]))
  request.end()
  t.equal(await text(await response), 'ok')
  t.strictSame(seen, [
    [102, {}],
    [103, { link: '</style.css>; rel=preload', 'x-hint': '1' }],
  ])
  const old = await exchangeRaw(port, 'GET / HTTP/1.0\r\n\r\n')
  t.match(old, /^HTTP\/1\.1 200 OK\r\n/, 'HTTP/1.0 has none')
  t.notMatch(old, /chunked/i)
  t.ok(old.endsWith('\r\n\r\nok'))
})
