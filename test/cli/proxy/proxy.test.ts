import { EventEmitter, once } from 'node:events'
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import googleIdToken from '../../../src/index.ts'
import { startCloudRunFrontend } from '../../../src/testing.ts'
import { runVerb, type Ran } from '../../helpers/command-line.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { freePort } from '../../helpers/free-port.ts'
import { setEnvironment } from '../../helpers/environment.ts'

const WEB = 'web@shop-prod.iam.gserviceaccount.com'
const google = await startEmulator(t, { serviceAccount: WEB })

interface Proxy {
  readonly url: string
  readonly stop: () => Promise<Ran>
}

/** Runs `proxy` until the end of the test. */
async function proxy(
  t: Test,
  target: string,
  args: readonly string[] = [],
  now = Date.now,
): Promise<Proxy> {
  setEnvironment(t, google.env)
  let end: () => void = () => undefined
  const interrupted = new Promise<void>((resolve) => {
    end = resolve
  })
  let running: Promise<Ran> | undefined
  const url = await new Promise<string>((resolve, reject) => {
    running = runVerb(['proxy', target, '--port', '0', ...args], {
      now,
      interrupted,
      onOutput: (text) => {
        resolve(/http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '')
      },
    })
    running.catch(reject)
  })
  const stop = async (): Promise<Ran> => {
    end()
    return (await running) as Ran
  }
  t.teardown(stop)
  return { url, stop }
}

/** A service that answers with what has arrived. */
async function service(t: Test, handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const echo = (t: Test): Promise<string> =>
  service(t, (request, response) => {
    const { method, url, rawHeaders } = request
    void text(request).then((body) => {
      response.writeHead(207, { 'x-a': '1', 'content-type': 'application/json' })
      response.end(JSON.stringify({ method, url, rawHeaders, body }))
    })
  })

async function send(
  url: string,
  options: RequestOptions = {},
  body = '',
): Promise<IncomingMessage> {
  const sent = request(url, options).end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}

t.test('a service that only Google and the plugin let in answers through it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const audience = 'https://orders.example.com'
  app.register(googleIdToken, { audience, jwksUri: google.jwksUri, allowedCallers: [WEB] })
  app.get('/who', (request) => request.caller.email)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const backend = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const front = await startCloudRunFrontend({
    target: backend,
    jwksUri: google.jwksUri,
    audience,
    invokers: [WEB],
  })
  t.teardown(() => front.close())
  const { url } = await proxy(t, front.url, ['--audience', audience])
  const response = await fetch(`${url}/who`)
  t.equal(response.status, 200)
  t.equal(await response.text(), WEB)
  t.equal((await fetch(`${front.url}/who`)).ok, false)
})

t.test('everything else of a request and its answer passes as it is', async (t) => {
  const target = await echo(t)
  const { url, stop } = await proxy(t, target)
  const headers = [
    ['Host', new URL(url).host],
    ['X-Twice', 'a'],
    ['X-Twice', 'b'],
    ['X-Serverless-Authorization', 'Bearer theirs'],
    ['Connection', 'close, X-Hop'],
    ['X-Hop', 'c'],
    ['Transfer-Encoding', 'chunked'],
  ].flat()
  const response = await send(
    `${url}/a%20b?c=d`,
    { method: 'PUT', headers: headers as never, setHost: false },
    'body',
  )
  t.match(response, { statusCode: 207, headers: { 'x-a': '1' } })
  const seen = JSON.parse(await text(response)) as Record<string, unknown>
  t.match(seen, { method: 'PUT', url: '/a%20b?c=d', body: 'body' })
  const raw = seen.rawHeaders as string[]
  const values = (name: string): string[] =>
    raw.filter((_, i) => i % 2 === 1 && String(raw[i - 1]).toLowerCase() === name)
  t.same(values('x-twice'), ['a', 'b'])
  t.same(values('host'), [new URL(target).host])
  t.same(values('x-hop'), [])
  const [token = ''] = values('x-serverless-authorization')
  t.match(decodeJwt(token.slice(7)), { aud: target, email: WEB })
  t.same(values('authorization'), [token])
  t.same(values('x-serverless-authorization').length, 1)
  const { code, stdout } = await stop()
  t.equal(code, 0)
  t.equal(stdout, `${url} calls ${target} as ${WEB}, with tokens for ${target}. Ctrl-C ends it.\n`)
  await t.rejects(fetch(url))
})

t.test('an Authorization of the application is passed on untouched', async (t) => {
  const { url } = await proxy(t, await echo(t), ['--json'])
  const response = await fetch(url, { headers: { authorization: 'Basic eA==' } })
  const { rawHeaders } = (await response.json()) as { rawHeaders: string[] }
  const values = rawHeaders.filter((_, i) => /^authorization$/i.test(String(rawHeaders[i - 1])))
  t.same(values, ['Basic eA=='])
})

t.test('both directions stream', async (t) => {
  const target = await service(t, (request, response) => {
    request.on('data', (chunk: Buffer) => response.write(`<${chunk.toString()}>`))
    request.on('end', () => {
      response.end('.')
    })
    response.writeHead(200).flushHeaders()
  })
  const { url } = await proxy(t, target)
  const sent = request(url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  sent.write('a')
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  t.equal(String((await once(response, 'data'))[0]), '<a>')
  sent.write('b')
  t.equal(String((await once(response, 'data'))[0]), '<b>')
  sent.end()
  t.equal(await text(response), '.')
})

t.test('a client that goes away ends the request to the service', async (t) => {
  let gone: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    gone = resolve
  })
  const silent = new EventEmitter()
  const arrived = once(silent, 'arrived')
  const silentEnded = once(silent, 'ended')
  const target = await service(t, (request, response) => {
    if (request.url === '/silent') {
      silent.emit('arrived')
      response.on('close', () => silent.emit('ended'))
      return
    }
    response.writeHead(200).write('x')
    response.on('close', gone)
  })
  const { url, stop } = await proxy(t, target)
  const response = await send(url)
  response.destroy()
  await ended
  const early = request(`${url}/silent`).end()
  early.on('error', () => undefined)
  await arrived
  early.destroy()
  await silentEnded
  t.equal((await stop()).stderr, '')
})

t.test('websockets pass, and end with the proxy', async (t) => {
  const target = await service(t, (_, response) => {
    response.writeHead(426).end('no')
  })
  const { url } = await proxy(t, target)
  const refused = new WebSocket(url.replace('http', 'ws'))
  const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
  t.equal(answer.statusCode, 426)
  answer.destroy()

  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => {
    server.close()
  })
  await once(server, 'listening')
  server.on('connection', (socket, { headers }) => {
    socket.on('message', (message: Buffer) => {
      const token = String(headers['x-serverless-authorization'])
      socket.send(`${token.slice(0, 10)} ${message.toString()}`)
    })
  })
  const open = await proxy(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const client = new WebSocket(open.url.replace('http', 'ws'))
  await once(client, 'open')
  client.send('hello')
  const [message] = (await once(client, 'message')) as [Buffer]
  t.equal(String(message), 'Bearer eyJ hello')
  const closed = once(client, 'close')
  t.equal((await open.stop()).code, 0)
  await closed
})

t.test('pages of other sites are refused, by name and by origin', async (t) => {
  const { url } = await proxy(t, await echo(t))
  for (const [headers, status] of [
    [{ host: 'evil.example.com' }, 403],
    [{ host: 'localhost:1' }, 207],
    [{ host: '[::1]:1' }, 207],
    [{ origin: 'https://evil.example.com' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:3000' }, 207],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 207],
  ] as const) {
    const response = await send(url, { method: 'POST', headers }, 'x')
    const said = await text(response)
    t.equal(response.statusCode, status, JSON.stringify(headers))
    if (status === 403) t.match(said, /^This proxy answers/)
  }
  const socket = new WebSocket(url.replace('http', 'ws'), { origin: 'https://evil.example.com' })
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  t.equal(answer.statusCode, 403)
  answer.destroy()
})

t.test('a service that is away is reported, over TLS too', async (t) => {
  for (const protocol of ['http', 'https']) {
    const { url, stop } = await proxy(t, `${protocol}://127.0.0.1:${await freePort()}`)
    const response = await fetch(url)
    t.equal(response.status, 502)
    t.match(await response.text(), /The service cannot be reached: .*ECONNREFUSED/)
    t.match((await stop()).stderr, /The service cannot be reached/)
  }
})

t.test('a token without an email is no reason to stop', async (t) => {
  const body = await google.idToken({ audience: 'https://c.example.com' })
  t.teardown(google.fault('identity', { status: 200, body }))
  const { url, stop } = await proxy(t, 'https://b.example.com')
  const { stdout, stderr } = await stop()
  t.equal(
    stdout,
    `${url} calls https://b.example.com, with tokens for https://b.example.com. Ctrl-C ends it.\n`,
  )
  t.match(stderr, 'for another audience')
})

t.test('credentials that fail later are reported at each request', async (t) => {
  let later = 0
  const { url, stop } = await proxy(t, await echo(t), [], () => Date.now() + later)
  t.equal((await fetch(url)).status, 207)
  later = 7_200_000
  t.teardown(google.fault('identity', { status: 404 }))
  const response = await fetch(url)
  t.equal(response.status, 502)
  t.match(await response.text(), /^SERVICE_CLIENT_/)
  t.match((await stop()).stderr, /^SERVICE_CLIENT_/)
})

t.test('credentials that can get no token are reported at the start', async (t) => {
  setEnvironment(t, google.env)
  t.teardown(google.fault('identity', { status: 403 }))
  const ran = await runVerb(['proxy', 'https://no-token.example.com'])
  t.equal(ran.code, 1)
  t.match(ran.stderr, /^SERVICE_CLIENT_/)
})

t.test('wrong usage', async (t) => {
  for (const [args, said] of [
    [[], /The URL of the service is needed/],
    [['orders'], /The URL of the service is needed/],
    [['https://a.example.com/path'], /without a path/],
    [['http://a.example.com'], /Option url is 'http:\/\/a\.example\.com'/],
    [['https://a.example.com', '--port', '70000'], /Option port is 70000/],
  ] as const) {
    t.match(await runVerb(['proxy', ...args]), { code: 2, stderr: said })
  }
})
