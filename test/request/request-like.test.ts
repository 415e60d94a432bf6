import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { createVerifier, IdTokenError, type RequestLike } from '../../src/index.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const bearer = `Bearer ${await issuer.idToken({ email: login, audience })}`
const verifier = createVerifier({ audience, allowedCallers: [login], jwks: issuer.jwks })

/** The caller's email, or the code of the refusal. */
async function outcomeOf(request: RequestLike): Promise<string | undefined> {
  try {
    return (await verifier.authenticate(request))?.email
  } catch (error) {
    if (error instanceof IdTokenError) return error.code
    throw error
  }
}

t.test('authenticate takes headers as any framework has them', async (t) => {
  const rows: [what: string, request: RequestLike, outcome: string][] = [
    [
      'a WHATWG Request',
      new Request('http://service/', { headers: { authorization: bearer } }),
      login,
    ],
    ['one without a token', new Request('http://service/'), 'ID_TOKEN_MISSING'],
    [
      'a Request in raw',
      { raw: new Request('http://a/', { headers: { authorization: bearer } }) },
      login,
    ],
    ['an object', { headers: { authorization: bearer } }, login],
    ['names in any case', { headers: { 'X-SERVERLESS-Authorization': bearer } }, login],
    ['Headers', { headers: new Headers([['Authorization', bearer]]) }, login],
    ['pairs', { headers: [['authorization', bearer]] }, login],
    ['a Map', { headers: new Map([['authorization', bearer]]) }, login],
    ['a list of one', { headers: { authorization: [bearer] } }, login],
    [
      'undefined is no header',
      { headers: { 'x-serverless-authorization': undefined, authorization: bearer } },
      login,
    ],
  ]
  for (const [what, request, outcome] of rows) t.equal(await outcomeOf(request), outcome, what)
})

t.test('a header that was sent twice is refused in each of them', async (t) => {
  const joined = new Headers({ authorization: bearer })
  joined.append('authorization', bearer)
  const rows: [what: string, request: RequestLike][] = [
    ['joined by Headers', { headers: joined }],
    ['joined by Request', new Request('http://service/', { headers: joined })],
    ['joined by hand', { headers: { authorization: `${bearer}, ${bearer}` } }],
    ['a list of two', { headers: { authorization: [bearer, bearer] } }],
    ['in two spellings', { headers: { authorization: bearer, Authorization: bearer } }],
    [
      'two pairs',
      {
        headers: [
          ['authorization', bearer],
          ['authorization', bearer],
        ],
      },
    ],
    ['joined without a space', { headers: { authorization: `${bearer},${bearer}` } }],
  ]
  for (const [what, request] of rows) {
    t.equal(await outcomeOf(request), 'ID_TOKEN_REQUEST_MALFORMED', what)
  }
})

t.test('what is no string holds no token', async (t) => {
  for (const value of [7, null, {}, true, [7]]) {
    const request = { headers: { authorization: value } } as unknown as RequestLike
    t.equal(await outcomeOf(request), 'ID_TOKEN_SCHEME_UNSUPPORTED')
  }
})

t.test('what has no headers is a mistake of the program', async (t) => {
  const wrong = [
    undefined,
    null,
    7,
    'headers',
    {},
    { headers: undefined },
    { headers: 'x' },
    { raw: {} },
    { raw: null },
  ]
  for (const request of wrong as unknown as RequestLike[]) {
    await t.rejects(verifier.authenticate(request), {
      name: 'TypeError',
      message: /^authenticate takes a request with headers/,
    })
  }
})

t.test('a request of Fastify is read as it was sent', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async (request) => ({ outcome: await outcomeOf(request) }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const headers: [string, string][] = [['Authorization', bearer]]
  t.match((await rawRequest(port, { headers })).body, login)
  // Node keeps the first of two only; both are in its raw headers.
  const twice = await rawRequest(port, { headers: [...headers, ...headers] })
  t.match(twice.body, 'ID_TOKEN_REQUEST_MALFORMED')
})

t.test('a request of Node, over HTTP/1.1 and HTTP/2', async (t) => {
  const answer = (
    request: IncomingMessage | Http2ServerRequest,
    end: (body: string) => void,
  ): void => {
    void outcomeOf(request).then((outcome) => {
      end(String(outcome))
    })
  }
  const server = createServer((request, response) => {
    answer(request, (body) => response.end(body))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  t.equal((await rawRequest(port, { headers: [['Authorization', bearer]] })).body, login)

  const http2 = createHttp2Server((request, response) => {
    answer(request, (body) => response.end(body))
  })
  await once(http2.listen(0, '127.0.0.1'), 'listening')
  const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
  t.teardown(() => {
    session.close()
    http2.close()
  })
  const stream = session.request({ authorization: bearer }).setEncoding('utf8')
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  t.equal(body, login)
})
