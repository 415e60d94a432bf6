import { on, once } from 'node:events'
import {
  Agent,
  createServer,
  IncomingMessage,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { connect, Socket, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import googleIdToken from '../../../src/index.ts'
import {
  createTestIssuer,
  startCloudRunFrontend,
  startGoogleEmulator,
  type CloudRunFrontend,
  type CloudRunFrontendOptions,
} from '../../../src/testing.ts'
import { serviceHeaders } from '../../../src/testing/cloud-run/service-headers.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { exchangeRaw, serviceOf } from '../../helpers/service-behind-front.ts'

const login = 'login@shop-prod.iam.gserviceaccount.com'
const search = 'search@shop-prod.iam.gserviceaccount.com'
const ada = 'ada@example.com'
const audience = 'https://user-profiles-abc123-uc.a.run.app'
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE'

const issuer = await createTestIssuer()
const { jwks } = issuer
const token = await issuer.idToken({ email: login, audience })
const bearer = `Bearer ${token}`

/** The token as the container gets it. */
function stripped(value: string): string {
  return value.replace(/[^.]*$/, REMOVED)
}

type Options = Partial<CloudRunFrontendOptions>

/** A front end before the service at this address. */
async function frontOf(t: Test, target: string, options: Options = {}): Promise<CloudRunFrontend> {
  const invokers = [`serviceAccount:${login}`]
  const front = await startCloudRunFrontend({ target, audience, invokers, jwks, ...options })
  t.teardown(() => front.close())
  return front
}

/** A front end that checks nothing, before a service that answers so: for what passes through. */
async function passing(t: Test, listener?: RequestListener, options: Options = {}) {
  const service = await serviceOf(t, listener)
  const front = await frontOf(t, service.url, { allowUnauthenticated: true, ...options })
  return { service, front, port: Number(new URL(front.url).port) }
}

/** Sends what is given, and takes the response as soon as its head is there. */
function send(front: CloudRunFrontend, options: RequestOptions = {}) {
  const request = httpRequest(front.url, { agent: false, ...options })
  const response = once(request, 'response').then(([message]) => message as IncomingMessage)
  response.catch(() => undefined)
  return { request, response }
}

function page(status: number, name: string, text: string): string {
  return `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${status} ${name}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${name}</h1>
<h2>${text}</h2>
<h2></h2>
</body></html>
`
}

const CHALLENGE =
  'Bearer error="invalid_token" error_description="The access token could not be verified"'
const UNAVAILABLE = page(
  503,
  'Server Error',
  'The service you requested is not available yet.<p>Please try again in 30 seconds.',
)

t.test('what the container receives', async (t) => {
  const other = 'Bearer of-the-application'
  const open = { allowUnauthenticated: true }
  type Sent = Record<string, string>
  const rows: [what: string, options: Options, sent: Sent, received: Sent][] = [
    [
      'the check on, a token in Authorization',
      {},
      { authorization: bearer },
      { authorization: stripped(bearer) },
    ],
    [
      'the check on, a token in X-Serverless-Authorization, something else in Authorization',
      {},
      { 'x-serverless-authorization': bearer, authorization: other },
      { 'x-serverless-authorization': stripped(bearer), authorization: other },
    ],
    [
      'the check on, the same token in both',
      {},
      { 'x-serverless-authorization': bearer, authorization: bearer },
      { 'x-serverless-authorization': stripped(bearer), authorization: bearer },
    ],
    [
      'the scheme as it is sent',
      {},
      { authorization: `bEARER  ${token}` },
      { authorization: stripped(`bEARER  ${token}`) },
    ],
    ['the check off, Authorization', open, { authorization: bearer }, { authorization: bearer }],
    [
      'allUsers may invoke',
      { invokers: ['allUsers'] },
      { authorization: bearer },
      { authorization: bearer },
    ],
    [
      'the check off, X-Serverless-Authorization',
      open,
      { 'x-serverless-authorization': bearer },
      { 'x-serverless-authorization': stripped(bearer) },
    ],
    [
      'the check off, no token in X-Serverless-Authorization',
      open,
      { 'x-serverless-authorization': 'Bearer a.b' },
      { 'x-serverless-authorization': 'Bearer a.b' },
    ],
    ['the check off, nothing', open, {}, {}],
    [
      'another header of the application',
      {},
      { authorization: bearer, 'x-caller-identity': bearer },
      { authorization: stripped(bearer), 'x-caller-identity': bearer },
    ],
  ]
  for (const [what, options, headers, received] of rows) {
    const { requests, url } = await serviceOf(t)
    const front = await frontOf(t, url, options)
    t.equal((await fetch(front.url, { headers })).status, 200, what)
    const names = ['authorization', 'x-serverless-authorization', 'x-caller-identity']
    const container = requests[0]?.headers ?? {}
    t.strictSame(
      Object.fromEntries(Object.entries(container).filter(([name]) => names.includes(name))),
      received,
      what,
    )
  }
})

t.test('refusals are those of Cloud Run, and reach nobody', async (t) => {
  const { requests, url } = await serviceOf(t)
  const front = await frontOf(t, url)
  const port = Number(new URL(front.url).port)
  const make = (claims: Partial<Parameters<typeof issuer.idToken>[0]>): Promise<string> =>
    issuer.idToken({ email: login, audience, ...claims })
  const { idToken: idTokenOfAnother } = await createTestIssuer()
  type Headers = [name: string, value: string][]
  const rows: [what: string, status: 401 | 403, headers: Headers][] = [
    ['no token', 403, []],
    ['another scheme', 403, [['Authorization', 'Basic bG9naW46c2VjcmV0']]],
    ['an empty header', 403, [['Authorization', '']]],
    [
      'an empty header that decides',
      403,
      [
        ['X-Serverless-Authorization', ''],
        ['Authorization', bearer],
      ],
    ],
    [
      'another audience',
      401,
      [['Authorization', `Bearer ${await make({ audience: `${audience}/x` })}`]],
    ],
    ['an expired token', 401, [['Authorization', `Bearer ${await make({ expiresIn: -61 })}`]]],
    ['an access token', 401, [['Authorization', 'Bearer ya29.a0AfH6SMBverylongtoken']]],
    ['no token after the scheme', 401, [['Authorization', 'Bearer']]],
    ['a token without its signature', 401, [['Authorization', stripped(bearer)]]],
    [
      'the token of another issuer',
      401,
      [['Authorization', `Bearer ${await idTokenOfAnother({ email: login, audience })}`]],
    ],
    [
      'a bad token in the header that decides',
      401,
      [
        ['Authorization', bearer],
        ['X-Serverless-Authorization', `${bearer}x`],
      ],
    ],
    [
      'a repeated header',
      401,
      [
        ['Authorization', bearer],
        ['authorization', bearer],
      ],
    ],
    [
      'a repeated header that decides',
      401,
      [
        ['X-Serverless-Authorization', bearer],
        ['x-serverless-authorization', bearer],
      ],
    ],
    ['no role', 403, [['Authorization', `Bearer ${await make({ email: search })}`]]],
    ['no role, no email', 403, [['Authorization', `Bearer ${await make({ email: undefined })}`]]],
    [
      'an email that is not verified',
      403,
      [
        [
          'Authorization',
          `Bearer ${await make({ subject: '1'.repeat(21), claims: { email_verified: false } })}`,
        ],
      ],
    ],
  ]
  for (const [what, status, headers] of rows) {
    const path = `/a"<b>'&/?access_token=${token}`
    const { status: found, headers: answered, body } = await rawRequest(port, { path, headers })
    t.equal(found, status, what)
    const shown = '<code>/a&#34;&#60;b&#62;&#39;&#38;/</code>'
    const expected =
      status === 401
        ? page(
            401,
            'Unauthorized',
            `Your client does not have permission to the requested URL ${shown}.`,
          )
        : page(
            403,
            'Forbidden',
            `Your client does not have permission to get URL ${shown} from this server.`,
          )
    t.equal(body, expected, what)
    t.equal(answered['www-authenticate'], status === 401 ? CHALLENGE : undefined, what)
    t.match(answered, { 'content-type': 'text/html; charset=UTF-8', server: 'Google Frontend' })
  }
  t.equal(requests.length, 0)

  const accepted = [
    await make({}),
    await make({ audience: `${audience}/` }),
    await make({ email: undefined, subject: await subjectOf(login) }),
  ]
  for (const one of accepted) {
    const headers = { authorization: `Bearer ${one}` }
    t.equal((await fetch(front.url, { headers })).status, 200)
  }
})

/** The unique id of an account, as the test issuer has it. */
async function subjectOf(email: string): Promise<string> {
  const [, payload = ''] = (await issuer.idToken({ email, audience })).split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

t.test('who has roles/run.invoker', async (t) => {
  const service = await serviceOf(t)
  const bot = 'bot@other.iam.gserviceaccount.com'
  const rows: [invokers: NonNullable<Options['invokers']>, allowed: string[]][] = [
    [[], []],
    [[`serviceAccount:${login}`], [login]],
    [[login], [login]],
    [[await subjectOf(login)], [login]],
    [[`user:${ada}`], [ada]],
    [
      [{ email: ada }, search],
      [ada, search],
    ],
    [['*@shop-prod.iam.gserviceaccount.com'], [login, search]],
    [['allAuthenticatedUsers'], [login, search, ada, bot, 'nobody']],
    [['allUsers'], [login, search, ada, bot, 'nobody', 'no token']],
  ]
  for (const [invokers, allowed] of rows) {
    const front = await frontOf(t, service.url, { invokers })
    for (const email of [login, search, ada, bot, 'nobody', 'no token']) {
      const headers: Record<string, string> = {}
      if (email !== 'no token') {
        const claims = email === 'nobody' ? {} : { email }
        headers.authorization = `Bearer ${await issuer.idToken({ ...claims, audience })}`
      }
      const { status } = await fetch(front.url, { headers })
      t.equal(status, allowed.includes(email) ? 200 : 403, `${JSON.stringify(invokers)}: ${email}`)
    }
  }
})

t.test('the plugin behind it', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  const { jwksUri } = google
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(googleIdToken, { audience, allowedCallers: [login], jwksUri })
  app.get('/profiles', (request) => request.caller)
  const target = await app.listen({ port: 0 })
  const idToken = `Bearer ${await google.idToken({ email: login, audience })}`
  const get = async (front: CloudRunFrontend, headers: Record<string, string>) => {
    const response = await fetch(`${front.url}/profiles`, { headers })
    return { status: response.status, body: (await response.json()) as object }
  }
  const keys = { jwks: undefined, jwksUri }
  const front = await frontOf(t, target, keys)
  t.match(await get(front, { authorization: idToken, 'x-serverless-authorization': idToken }), {
    status: 200,
    body: { email: login, signatureVerified: true, header: 'authorization' },
  })
  for (const name of ['authorization', 'x-serverless-authorization']) {
    t.match(await get(front, { [name]: idToken }), {
      status: 401,
      body: { code: 'ID_TOKEN_SIGNATURE_REMOVED' },
    })
  }
  const open = await frontOf(t, target, { ...keys, allowUnauthenticated: true })
  t.match(await get(open, { authorization: idToken }), { status: 200 })
  t.match(await get(open, {}), { status: 401, body: { code: 'ID_TOKEN_MISSING' } })

  const fault = google.fault('certs', { status: 500 })
  const cold = await frontOf(t, target, keys)
  const warned = once(process, 'warning')
  const unavailable = await fetch(cold.url, { headers: { authorization: idToken } })
  t.match(unavailable, { status: 503 })
  t.equal(await unavailable.text(), UNAVAILABLE)
  const [warning] = (await warned) as [Error]
  t.notMatch(JSON.stringify([warning.message, warning.stack]), idToken.slice(7, 40))
  fault()
})

t.test('time is that of the clock', async (t) => {
  const { url } = await serviceOf(t)
  const front = await frontOf(t, url, { clock: () => new Date(Date.now() + 7_200_000) })
  t.equal((await fetch(front.url, { headers: { authorization: bearer } })).status, 401)
})

t.test('a wrong option fails at start', async (t) => {
  const good = { target: 'http://127.0.0.1:8080', audience, invokers: [login], jwks }
  const rows: [options: object, message: RegExp][] = [
    [{ tagret: 'http://127.0.0.1' }, /^Option tagret is .*only the names target,/],
    [{ target: undefined }, /^Option target is missing; accepted: an http URL on a loopback host/],
    [{ target: 'nowhere' }, /^Option target is 'nowhere'/],
    [{ target: 'http://10.0.0.1:8080' }, /^Option target is 'http:\/\/10/],
    [{ target: 'https://127.0.0.1:8080' }, /^Option target is 'https:/],
    [{ target: 'http://127.0.0.1:8080/path' }, /^Option target is .*without a path/],
    [{ audience: undefined }, /^Option audience is missing/],
    [{ invokers: undefined }, /^Option invokers is missing; accepted: a list of IAM members/],
    [{ invokers: login }, /^Option invokers is 'login@/],
    [
      { invokers: [login, 'group:a@b.com'] },
      /^Option invokers\[1\] is 'group:a@b\.com'.*known to Google/,
    ],
    [{ invokers: ['*'] }, /^Option invokers\[0\] is '\*'/],
    [{ invokers: ['user:Ada@example.com'] }, /^Option invokers\[0\] is 'user:Ada@example\.com'/],
    [{ invokers: [1] }, /^Option invokers\[0\] is 1;/],
    [{ jwks: undefined, jwksUri: 'http://10.0.0.1/' }, /^Option jwksUri is/],
    [
      { allowUnauthenticated: 'yes' },
      /^Option allowUnauthenticated is 'yes'; accepted: true or false/,
    ],
    [{ port: 65_536 }, /^Option port is 65536/],
    [{ host: '0.0.0.0' }, /^Option host is '0\.0\.0\.0'.*allowRemote/],
    [{ clock: 1 }, /^Option clock is 1/],
  ]
  for (const [options, message] of rows) {
    const wrong = { ...good, ...options } as CloudRunFrontendOptions
    await t.rejects(startCloudRunFrontend(wrong), { message })
  }
  const everywhere = await frontOf(t, good.target, { host: '0.0.0.0', allowRemote: true })
  t.match(everywhere.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const port = Number(new URL(everywhere.url).port)
  await t.rejects(startCloudRunFrontend({ ...good, port }), { code: 'EADDRINUSE' })
})

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

t.test('who sends is held back by who does not read', async (t) => {
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

t.test('who goes away takes the other along', async (t) => {
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

t.test('what is no HTTP is answered, and ends nothing', async (t) => {
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
