import { once } from 'node:events'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import googleIdToken from '../../../src/index.ts'
import { rawRequest, type RawRequest } from '../../helpers/raw-request.ts'
import { audience as AUDIENCE, login as LOGIN } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const options = { audience: AUDIENCE, allowedCallers: [LOGIN], jwks: issuer.jwks }
const bearer = async (email: string) =>
  `Bearer ${await issuer.idToken({ email, audience: AUDIENCE })}`
const login = await bearer(LOGIN)
const signup = await bearer('signup@shop-prod.iam.gserviceaccount.com')

async function listening(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

t.test('headers are read as they stand on the wire', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, options)
  app.get('/', (request) => ({ header: request.caller.header }))
  app.get('/optional', { config: { idToken: { optional: true } } }, () => ({}))
  const port = await listening(app)
  const get = (...headers: [string, string][]) => rawRequest(port, { headers })

  for (const name of ['Authorization', 'X-Serverless-Authorization']) {
    const odd = name.replace(/[a-z]/g, (letter, at: number) =>
      at % 2 === 0 ? letter.toUpperCase() : letter,
    )
    t.equal((await get([odd, login])).status, 200, odd)
    for (const request of [
      { headers: [[name, login] as const, [name, login] as const] },
      { headers: [[name, login] as const, [odd, signup] as const] },
      { headers: [[name, `${login}, ${login}`] as const] },
      { path: '/optional', headers: [[name, ''] as const, [name, login] as const] },
    ] satisfies RawRequest[]) {
      const response = await rawRequest(port, request)
      t.equal(response.status, 400, `${name} twice`)
      t.match(
        response.headers['www-authenticate'],
        /^Bearer realm="[^"]+", error="invalid_request"/,
      )
      t.match(response.body, '"code":"ID_TOKEN_REQUEST_MALFORMED"')
    }
  }

  const both = await get(['authorization', signup], ['x-SERVERLESS-authorization', login])
  t.equal(both.body, '{"header":"x-serverless-authorization"}', 'it alone decides')
  const fallback = await get(['x-serverless-authorization', ''], ['authorization', login])
  t.equal(fallback.status, 401, 'even where it is empty')
})

t.test('a refused caller is answered before any body has come', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, options)
  app.post('/', () => ({}))
  const port = await listening(app)
  const response = await rawRequest(port, {
    method: 'POST',
    headers: [
      ['content-type', 'application/json'],
      ['content-length', '1000000'],
    ],
  })
  t.equal(response.status, 401)
  t.match(response.body, 'ID_TOKEN_MISSING')
})

t.test('HTTP/2', async (t) => {
  const app = Fastify({ http2: true })
  app.register(googleIdToken, options)
  app.get('/', (request) => ({ caller: request.caller.email }))
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.after(async () => {
    client.close()
    await app.close()
  })
  const get = async (headers: Record<string, string | string[]>) => {
    const stream = client.request({ ':path': '/', ...headers })
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.setEncoding('utf8')
    const chunks = (await stream.toArray()) as string[]
    return { status: head[':status'], body: chunks.join('') }
  }
  t.match(await get({}), { status: 401, body: 'ID_TOKEN_MISSING' })
  t.same(await get({ authorization: login }), { status: 200, body: `{"caller":"${LOGIN}"}` })
  t.match(
    await get({ 'x-serverless-authorization': [login, login] }),
    { status: 400, body: 'ID_TOKEN_REQUEST_MALFORMED' },
    'a header sent twice',
  )
})

t.test('a websocket is refused before the upgrade, and knows its caller after it', async (t) => {
  const app = Fastify()
  app.register(websocket)
  app.register(googleIdToken, options)
  app.register((scope, _options, done) => {
    scope.get('/socket', { websocket: true }, (socket, request) => {
      socket.send(String(request.caller.email))
    })
    done()
  })
  const port = await listening(app)
  t.after(() => app.close())
  const open = (headers: Record<string, string>) =>
    new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers })

  for (const [headers, status] of [
    [{}, 401],
    [{ authorization: `${login}x` }, 401],
    [{ authorization: signup }, 403],
  ] as const) {
    const socket = open(headers)
    socket.on('error', () => undefined)
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ]
    t.equal(response.statusCode, status)
    t.match(response.headers['www-authenticate'], /^Bearer/)
    socket.terminate()
  }

  const socket = open({ authorization: login })
  const [message] = (await once(socket, 'message')) as [Buffer]
  t.equal(message.toString(), LOGIN)
  socket.close()
  await once(socket, 'close')
})
