import { createServer } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import Fastify from 'fastify'
import { Compute } from 'google-auth-library'
import t, { type Test } from 'tap'
import {
  createServiceClient,
  ServiceClientError,
  type ServiceClientOptions,
} from '../../src/client.ts'
import { serviceClients } from '../../src/client-fastify.ts'
import { FAILURES } from '../../src/client/failures.ts'
import googleIdToken from '../../src/index.ts'
import { capturedLog, holdsPartOf, LEVEL } from '../helpers/captured-log.ts'
import {
  countingCredentials,
  errorOf,
  settled,
  stoppedClock,
  until,
  warnings,
} from '../helpers/client-helpers.ts'
import {
  deferred,
  federation,
  NODE_EMAIL,
  startGoogle,
  type GoogleServer,
} from '../helpers/google-server.ts'
import { startService } from '../helpers/recording-service.ts'
import { runProcess } from '../helpers/run-process.ts'

const url = 'https://user-profiles-abc123-uc.a.run.app'

/** The metadata server of this process, and what asks it. */
async function startMetadata(t: Test, clock?: () => Date): Promise<GoogleServer> {
  const google = await startGoogle(t, clock)
  process.env.GCE_METADATA_HOST = google.host
  return google
}

/** A client whose tokens no other test shares. */
function client(options: Partial<ServiceClientOptions> & { url: string }) {
  return createServiceClient({ auth: new Compute(), ...options })
}

t.test('wrong options fail at once', async (t) => {
  const rows: [options: unknown, message: RegExp][] = [
    [undefined, /^Option options is missing; accepted: an object/],
    [{}, /^Option url is missing; accepted: an https URL/],
    [{ url: 'http://search.run.app' }, /^Option url is 'http:/],
    [{ url: 'https://user:pass@search.run.app' }, /without credentials/],
    [{ url, colour: 'x' }, /^Option colour is unknown; accepted: the options url, audience/],
    [{ url, tokenHeaders: 'cookie' }, /^Option tokenHeaders is 'cookie'; accepted: 'both', 'x-s/],
    [{ url, refreshBefore: -1 }, /^Option refreshBefore is -1; accepted: a number of seconds/],
    [{ url, refreshBefore: null }, /^Option refreshBefore is null/],
    [{ url, timeout: 0 }, /^Option timeout is 0/],
    [{ url, auth: null }, /^Option auth is no such object/],
    [{ url, logger: {} }, /^Option logger is {}; accepted: a logger/],
    [{ url, fetch: 'x' }, /^Option fetch is 'x'/],
    [{ url, clock: () => 1 }, /^Option clock is/],
    [{ url, audience: '' }, /^Option audience is ''/],
    [{ url, audience: 5 }, /^Option audience is 5/],
    [{ url, serviceAccount: 'login' }, /^Option serviceAccount is 'login'; accepted: the email/],
    [{ url, serviceAccount: 'a@b.c/../../x' }, /^Option serviceAccount is/],
    [{ url, serviceAccount: {} }, /^Option serviceAccount.email is missing/],
    [{ url, serviceAccount: { mail: 'x' } }, /^Option serviceAccount.mail is/],
    [
      { url, serviceAccount: { email: 'a@b.c', endpoint: 'http://iam.example' } },
      /^Option serviceAccount.endpoint is 'http:/,
    ],
  ]
  for (const [options, message] of rows) {
    t.throws(() => createServiceClient(options as ServiceClientOptions), {
      name: 'TypeError',
      code: 'ID_TOKEN_OPTION_INVALID',
      message,
    })
  }
  for (const character of ['&', '#', '+', '%', ' ', '\t', '\u0000']) {
    t.throws(() => createServiceClient({ url, audience: `${url}/a${character}b` }), {
      message: /misread/,
    })
  }
  for (const secret of [{ auth: { private_key: 'SECRET' } }, { key: 'SECRET' }]) {
    const attempt = () => createServiceClient({ url, ...secret } as ServiceClientOptions)
    t.throws(attempt, { message: /^(?!.*SECRET)/ })
  }
  t.equal(createServiceClient({ url: `${url}/v1/` }).audience, url)
  t.equal(createServiceClient({ url, audience: 'profiles' }).audience, 'profiles')
})

t.test('fetch takes what fetch takes', async (t) => {
  await startMetadata(t)
  const service = await startService(t, ({ url }, response) => {
    response.writeHead(url.startsWith('/teapot') ? 418 : 200, { 'x-served': 'yes' })
    response.end(JSON.stringify({ url }))
  })
  const { fetch } = client({ url: `${service.url}/v1/` })
  const served = async (...args: Parameters<typeof fetch>) => {
    const response = await fetch(...args)
    t.ok(response instanceof Response)
    await response.arrayBuffer()
    return service.requests.at(-1)
  }
  t.match(await served('/profiles/42?full=1'), { method: 'GET', url: '/profiles/42?full=1' })
  t.match(await served('profiles'), { url: '/v1/profiles' })
  t.match(await served(''), { url: '/v1/' })
  t.match(await served(`${service.url}/absolute`), { url: '/absolute' })
  t.match(await served(new URL('/url', service.url)), { url: '/url' })
  const headers = { 'x-of-mine': '1' }
  t.match(await served(new Request(`${service.url}/request`, { headers })), {
    method: 'GET',
    url: '/request',
    headers,
  })
  const request = new Request(`${service.url}/request`, {
    method: 'PUT',
    body: 'as it is',
    headers,
  })
  t.match(await served(request), { method: 'PUT', headers, body: 'as it is' })
  t.match(
    await served(new Request(`${service.url}/request`, { method: 'PUT', body: 'replaced' }), {
      method: 'post',
      body: 'by this',
    }),
    { method: 'POST', url: '/request', body: 'by this' },
  )
  t.match(await served('/form', { method: 'POST', body: new URLSearchParams({ a: '1' }) }), {
    headers: { 'content-type': /^application\/x-www-form-urlencoded/ },
    body: 'a=1',
  })
  t.match(await served('/patch', { method: 'PATCH', headers: [['x-list', '1']], body: '{}' }), {
    method: 'PATCH',
    headers: { 'x-list': '1' },
  })
  const stream = new Blob(['streamed']).stream()
  const streamed = { method: 'POST', body: stream, duplex: 'half' } as RequestInit
  t.match(await served('/stream', streamed), { body: 'streamed' })

  const response = await fetch('/teapot')
  t.equal(response.status, 418)
  t.equal(response.url, `${service.url}/teapot`)
  t.equal(response.headers.get('x-served'), 'yes')
  t.same(await response.json(), { url: '/teapot' })

  let calls = 0
  const own = client({
    url: service.url,
    fetch: async (...args) => {
      calls += 1
      return globalThis.fetch(...args)
    },
  })
  await own.fetch('/')
  t.equal(calls, 1, 'through the option fetch, if there is one')
})

t.test('which header carries the token, and whose', async (t) => {
  await startMetadata(t)
  const service = await startService(t)
  const incoming = {
    Authorization: 'Bearer of.the.caller',
    'X-Serverless-Authorization': 'Bearer of.the.caller',
  }
  for (const header of ['both', 'x-serverless-authorization', 'authorization'] as const) {
    for (const headers of [{}, incoming]) {
      const { fetch, idToken } = client({ url: service.url, tokenHeaders: header })
      await fetch('/', { headers })
      const bearer = `Bearer ${await idToken()}`
      const sent = service.requests.at(-1)?.headers ?? {}
      const own = 'Authorization' in headers ? headers.Authorization : undefined
      t.equal(sent['x-serverless-authorization'], header === 'authorization' ? undefined : bearer)
      t.equal(sent.authorization, header === 'x-serverless-authorization' ? own : bearer)
    }
  }
})

t.test('another origin is refused before there is a token', async (t) => {
  const google = await startMetadata(t)
  const service = await startService(t)
  const { port } = new URL(service.url)
  const { fetch } = client({ url: service.url })
  for (const input of [
    'https://evil.example/',
    '//evil.example/',
    `http://localhost:${port}/`,
    `https://127.0.0.1:${port}/`,
    'http://127.0.0.1:1/',
    `http://user:pass@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}@evil.example/`,
    'http://[',
    'data:text/plain,x',
    '/\\evil.example/',
  ]) {
    for (const one of input.startsWith('http:') && URL.canParse(input)
      ? [input, new URL(input)]
      : [input]) {
      const error = await errorOf(fetch(one))
      t.equal(error.code, 'SERVICE_CLIENT_URL_NOT_ALLOWED', input)
      t.notMatch(inspect(error), 'pass', input)
    }
  }
  t.equal(
    (await errorOf(fetch(new Request('https://evil.example/')))).code,
    'SERVICE_CLIENT_URL_NOT_ALLOWED',
  )
  t.equal(google.count('metadata'), 0)
  t.equal(service.requests.length, 0)
})

t.test(
  'one fetch of a token for concurrent callers, and one token for all who may share it',
  async (t) => {
    const google = await startMetadata(t)
    const service = await startService(t)
    const auth = new Compute()
    const first = createServiceClient({ url: service.url, auth })
    const released = google.hold('metadata')
    const calls = Array.from({ length: 1000 }, (_, index) => first.fetch(`/${index}`))
    await until(() => google.count('metadata') > 0)
    released()
    const statuses = await Promise.all(
      calls.map(async (call) => {
        const response = await call
        await response.text()
        return response.status
      }),
    )
    t.same([...new Set(statuses)], [200])
    t.equal(google.count('metadata'), 1)
    t.equal(new Set(service.tokens()).size, 1)

    const second = createServiceClient({ url: `${service.url}/v2/`, auth, refreshBefore: 10 })
    t.equal(await second.idToken(), await first.idToken())
    t.equal(google.count('metadata'), 1, 'another client shares it')
    await createServiceClient({ url: service.url, audience: 'other', auth }).idToken()
    t.equal(google.count('metadata'), 2, 'not for another audience')
    await client({ url: service.url }).idToken()
    t.equal(google.count('metadata'), 3, 'not of other credentials')
    const byDefault = createServiceClient({ url: service.url })
    t.equal(await byDefault.idToken(), await createServiceClient({ url: service.url }).idToken())
  },
)

t.test('a token that expires under load is replaced, and no request fails or waits', async (t) => {
  const time = stoppedClock()
  const google = await startMetadata(t, time.clock)
  const app = Fastify()
  const { clock } = time
  const address = await app
    .register(async (app) => {
      await app.register(googleIdToken, {
        audience: 'search',
        allowedCallers: [NODE_EMAIL],
        jwks: google.issuer.jwks,
        clockTolerance: 0,
        clock,
      })
      app.get('/', ({ caller }) => caller.email)
    })
    .listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { fetch, idToken } = client({
    url: address,
    audience: 'search',
    clock,
    timeout: 1000,
  })
  const load = async (): Promise<string> => {
    const answers = Array.from({ length: 20 }, async () => (await fetch('/')).text())
    return [...new Set(await Promise.all(answers))].join()
  }
  t.equal(await load(), NODE_EMAIL)
  const before = await idToken()

  time.pass(3299)
  await load()
  t.equal(google.count('metadata'), 1, 'not yet due')
  time.pass(1)
  const release = google.hold('metadata')
  for (let round = 0; round < 3; round += 1) {
    t.equal(await load(), NODE_EMAIL, 'served while the next token is on its way')
    time.pass(99)
  }
  t.equal(await idToken(), before)
  t.equal(google.count('metadata'), 2)
  release()
  while ((await idToken()) === before) t.equal(await load(), NODE_EMAIL)
  time.pass(10)
  t.equal(await load(), NODE_EMAIL, 'after the first has expired')
  t.equal(google.count('metadata'), 2)
})

t.test('losing the metadata server disturbs nobody while a good token is in hand', async (t) => {
  const time = stoppedClock()
  const google = await startMetadata(t, time.clock)
  const service = await startService(t)
  const { logger, lines } = warnings()
  const { fetch, idToken } = client({ url: service.url, clock: time.clock, logger })
  const token = await idToken()
  await google.close()
  time.pass(3300)
  for (let call = 0; call < 20; call += 1) t.equal((await fetch('/')).status, 200)
  await until(() => lines.length > 0)
  t.match(lines, [
    {
      finding: {
        code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
        audience: service.url,
        detail: { reason: /ECONNREFUSED/, remedy: /metadata server/ },
      },
      message: /is used until it expires/,
    },
  ])
  t.equal((await fetch('/')).status, 200)
  t.equal(lines.length, 1, 'it is not tried again at once')
  t.notOk(holdsPartOf(token, inspect(lines, { depth: 10 })))

  time.pass(300)
  const error = await errorOf(fetch('/'))
  t.type(error, ServiceClientError)
  t.equal(error.code, 'SERVICE_CLIENT_TOKEN_UNAVAILABLE')
  t.match(error.message, /^No ID token could be fetched: see whether the metadata server/)
  t.match(error.detail.reason, /ECONNREFUSED/)
})

t.test('a failed refresh is tried again, after a pause', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  const { idToken } = createServiceClient({ url, auth, clock, logger })
  const first = await idToken()
  const { answer } = auth
  auth.answer = () => Promise.reject(new Error('gone'))
  pass(3300)
  for (let call = 0; call < 5; call += 1) {
    t.equal(await idToken(), first)
    await settled()
  }
  t.equal(auth.calls, 2)
  t.match(lines, [{ finding: { detail: { reason: 'gone' } } }])
  auth.answer = answer
  pass(61)
  await idToken()
  await settled()
  t.not(await idToken(), first)
  t.equal(auth.calls, 3)
  t.equal(lines.length, 1)
})

t.test('a refresh that hangs is given up, and another one tried after a pause', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  const { idToken } = createServiceClient({ url, auth, clock, logger, timeout: 0.05 })
  const first = await idToken()
  const { answer } = auth
  const { promise: gate, resolve: release } = deferred()
  auth.answer = async (token) => {
    await gate
    return token
  }
  pass(3300)
  t.equal(await idToken(), first)
  await until(() => lines.length === 1)
  t.match(lines, [{ finding: { code: 'SERVICE_CLIENT_TOKEN_TIMED_OUT' } }])
  const calls: number[] = []
  for (let call = 0; call < 2; call += 1) {
    pass(61)
    t.equal(await idToken(), first)
    await settled()
    calls.push(auth.calls)
  }
  t.same(calls, [2, 3])
  auth.answer = answer
  release()
  await settled()
  t.not(await idToken(), first, 'and what it brings in the end is taken')
})

t.test('credentials that could not be found are looked for again', async (t) => {
  const found = await countingCredentials(t, () => new Date())
  let searches = 0
  const auth = {
    getClient() {
      searches += 1
      return searches === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(found)
    },
  }
  const { idToken } = createServiceClient({ url, auth })
  t.equal((await errorOf(idToken())).detail.reason, 'not yet')
  t.type(await idToken(), 'string')
  t.equal(searches, 2)
})

t.test('an answer that is out of date changes nothing', async (t) => {
  const answers: ((token: string) => void)[] = []
  const auth = { fetchIdToken: () => new Promise<string>((resolve) => answers.push(resolve)) }
  const { issuer } = await startGoogle(t)
  const [older, newer] = await Promise.all(
    [10, 20].map((expiresIn) => issuer.idToken({ audience: url, expiresIn })),
  )
  const { idToken } = createServiceClient({ url, auth, timeout: 0.2 })
  t.equal((await errorOf(idToken())).code, 'SERVICE_CLIENT_TOKEN_TIMED_OUT')
  await sleep(5)
  const second = idToken()
  await until(() => answers.length === 2)
  answers[1]?.(newer ?? '')
  t.equal(await second, newer)
  answers[0]?.(older ?? '')
  await sleep(1)
  t.equal(await idToken(), newer)
})

t.test('a token with little time left is not fetched again at each call', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  auth.expiresIn = 200
  const { idToken } = createServiceClient({ url, auth, clock })
  const first = await idToken()
  pass(99)
  t.equal(await idToken(), first)
  await settled()
  t.equal(auth.calls, 1)
  pass(2)
  t.equal(await idToken(), first)
  await settled()
  t.equal(auth.calls, 2)
  t.not(await idToken(), first)
})

t.test('401: one retry with a fresh token', async (t) => {
  const google = await startMetadata(t)
  let refused: string | undefined
  const service = await startService(t, ({ headers, url }, response) => {
    response.statusCode = url === '/never' || headers.authorization === refused ? 401 : 200
    response.end('answer')
  })
  const { fetch, idToken } = client({ url: service.url })
  const refuse = async (): Promise<void> => {
    refused = `Bearer ${await idToken()}`
    service.requests.length = 0
  }
  const form = new FormData()
  form.set('a', 'file')
  for (const [body, expected] of [
    [undefined, ''],
    ['text', 'text'],
    [Buffer.from('buffer'), 'buffer'],
    [new TextEncoder().encode('typed').buffer, 'typed'],
    [new URLSearchParams({ a: '1' }), 'a=1'],
    [new Blob(['blob']), 'blob'],
    [form, 'name="a"\r\n\r\nfile'],
  ] as const) {
    const fresh = client({ url: service.url })
    refused = `Bearer ${await fresh.idToken()}`
    service.requests.length = 0
    const response = await fresh.fetch('/', { method: 'POST', body: body ?? null })
    t.equal(response.status, 200)
    t.match(
      service.requests.map(({ body }) => body.includes(expected)),
      [true, true],
      'the body is sent again',
    )
  }

  await refuse()
  const concurrent = await Promise.all(Array.from({ length: 50 }, () => fetch('/')))
  t.same([...new Set(concurrent.map(({ status }) => status))], [200])
  t.equal(new Set(service.tokens()).size, 2, 'one fresh token for all')

  await refuse()
  const body = new Blob(['once']).stream()
  const response = await fetch('/', { method: 'POST', body, duplex: 'half' })
  t.equal(response.status, 401, 'a stream cannot be sent again')
  t.equal(await response.text(), 'answer', 'and the answer is there to read')

  const calls = google.count('metadata')
  const never = client({ url: service.url })
  service.requests.length = 0
  for (let call = 0; call < 20; call += 1) {
    const refusal = await never.fetch('/never')
    t.equal(refusal.status, 401)
    t.equal(await refusal.text(), 'answer')
  }
  t.equal(google.count('metadata') - calls, 6, 'five fresh tokens, then a pause')
  t.equal(service.requests.length, 25, 'one retry each')
})

t.test('401: where there is no other token, the answer is the answer', async (t) => {
  const google = await startMetadata(t)
  const service = await startService(t, (_, response) => {
    response.statusCode = 401
    response.end('answer')
  })
  const { logger, lines } = warnings()
  const { fetch, idToken } = client({ url: service.url, logger })
  const token = await idToken()
  google.fail('metadata', () => ({ status: 200, body: token }))
  t.equal(await (await fetch('/')).text(), 'answer')
  t.equal(service.requests.length, 1, 'the same token is not sent again')
  google.fail('metadata', () => ({ status: 404, body: 'gone' }))
  t.equal(await (await fetch('/')).text(), 'answer')
  t.match(lines, [
    { finding: { code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE' }, message: /refused an ID token/ },
  ])
  google.fail('metadata', null)
  google.hold('metadata')
  const controller = new AbortController()
  const call = fetch('/', { signal: controller.signal })
  await until(() => google.count('metadata') === 4)
  controller.abort(new Error('enough'))
  await t.rejects(call, { message: 'enough' })
})

t.test('redirects within the origin are followed with the token', async (t) => {
  await startMetadata(t)
  let refused = ''
  const service = await startService(t, ({ url, headers }, response) => {
    const [, status, location] = /^\/(30\d)-?(.*)/.exec(url) ?? []
    if (headers.authorization === refused || url === '/never') response.writeHead(401)
    else if (status !== undefined) {
      response.writeHead(Number(status), location === '' ? {} : { location: location ?? '' })
    }
    response.end()
  })
  const { fetch, idToken } = client({ url: service.url })
  const hops = async (path: string, init: RequestInit = {}) => {
    service.requests.length = 0
    const response = await fetch(path, init)
    await response.text()
    t.same([...new Set(service.tokens())], [await idToken()])
    return [
      response.status,
      ...service.requests.map(({ method, url, body }) => `${method} ${url} ${body}`.trim()),
    ]
  }
  const post = {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'text/plain', 'x-kept': '1' },
  }
  t.same(await hops('/302-/end'), [200, 'GET /302-/end', 'GET /end'])
  t.same(await hops('/301-end', post), [200, 'POST /301-end x', 'GET /end'])
  t.match(service.requests[1]?.headers, { 'x-kept': '1', 'content-type': undefined })
  t.same(await hops('/303-/end', { method: 'PUT', body: 'x' }), [
    200,
    'PUT /303-/end x',
    'GET /end',
  ])
  t.same(await hops('/303-/end', { method: 'HEAD' }), [200, 'HEAD /303-/end', 'HEAD /end'])
  t.same(await hops('/302-/end', { method: 'PUT', body: 'x' }), [
    200,
    'PUT /302-/end x',
    'PUT /end x',
  ])
  t.same(await hops('/307-/end', post), [200, 'POST /307-/end x', 'POST /end x'])
  t.same(await hops('/307-/308-/end#x', post), [
    200,
    'POST /307-/308-/end x',
    'POST /308-/end x',
    'POST /end x',
  ])
  t.same(await hops('/302'), [302, 'GET /302'], 'without a location it is an answer')

  t.same(await hops('/302-/end', { redirect: 'manual' }), [302, 'GET /302-/end'])
  await t.rejects(fetch('/302-/end', { redirect: 'error' }), { name: 'TypeError' })
  const body = new Blob(['once']).stream()
  const streamed = { method: 'POST', body, duplex: 'half' } as RequestInit
  await t.rejects(fetch('/307-/end', streamed), { cause: { message: /its body was a stream/ } })
  await t.rejects(fetch('/302-mailto:x@example.com'), { cause: { message: /no http URL/ } })
  await t.rejects(fetch('/302-http://['), { cause: { message: /no http URL/ } })

  const loop = await startService(t, (_, response) => {
    response.writeHead(302, { location: '/' }).end()
  })
  await t.rejects(client({ url: loop.url }).fetch('/'), { cause: { message: /too many/ } })
  t.equal(loop.requests.length, 21)

  refused = `Bearer ${await idToken()}`
  service.requests.length = 0
  t.equal((await fetch('/302-/never')).status, 401)
  t.same(
    service.requests.map(({ url }) => url),
    ['/302-/never', '/302-/never', '/never'],
    'one retry, wherever on the way',
  )
})

t.test('redirects never carry the token to another origin', async (t) => {
  await startMetadata(t)
  const elsewhere = await startService(t)
  const service = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { location: `${elsewhere.url}/there` }).end()
  })
  const sent = {
    method: 'POST',
    body: 'x',
    headers: {
      authorization: 'Bearer mine',
      'x-serverless-authorization': 'Bearer of.the.caller',
      cookie: 'a=b',
      'x-kept': '1',
    },
  }
  for (const header of ['both', 'x-serverless-authorization', 'authorization'] as const) {
    const { fetch } = client({ url: service.url, tokenHeaders: header })
    for (const status of [302, 307]) {
      const response = await fetch(`/${status}`, sent)
      t.equal(response.url, `${elsewhere.url}/there`)
    }
  }
  t.equal(elsewhere.requests.length, 6)
  for (const { headers } of elsewhere.requests) {
    t.match(headers, { 'x-kept': '1', host: new URL(elsewhere.url).host })
    t.notOk(
      ['authorization', 'x-serverless-authorization', 'cookie'].some((name) => name in headers),
    )
  }
})

t.test('a time limit and an abort on everything', async (t) => {
  const google = await startMetadata(t)
  const service = await startService(t, ({ url }, response) => {
    if (url !== '/hangs') response.end()
  })
  const auth = new Compute()
  const patient = createServiceClient({ url: service.url, auth })
  const hasty = createServiceClient({ url: service.url, auth, timeout: 0.03 })
  const release = google.hold('metadata')
  const waiting = patient.idToken()
  const error = await errorOf(hasty.fetch('/'))
  t.equal(error.code, 'SERVICE_CLIENT_TOKEN_TIMED_OUT')
  t.match(error.message, /in time: see whether the metadata server/)

  const reason = new Error('enough')
  const controller = new AbortController()
  const { signal } = controller
  const calls: Promise<unknown>[] = [
    patient.fetch('/', { signal }),
    patient.fetch(new Request(service.url, { signal })),
    patient.idToken({ signal }),
  ]
  setImmediate(() => {
    controller.abort(reason)
  })
  for (const call of calls) await t.rejects(call, reason)
  await t.rejects(patient.fetch('/', { signal }), reason, 'a signal that has been aborted')
  await t.rejects(patient.idToken({ signal }), reason)
  release()
  t.type(await waiting, 'string', 'whoever else waits is not disturbed')
  t.equal(google.count('metadata'), 1)
  const answered = new AbortController()
  const { fetch } = createServiceClient({
    url: service.url,
    auth,
    fetch: async () => {
      answered.abort(reason)
      return Promise.resolve(new Response(null, { status: 401 }))
    },
  })
  const call = fetch('/', { signal: answered.signal })
  await t.rejects(call, reason, 'between an answer and the token after it')
  await t.rejects(patient.fetch('/hangs', { signal: AbortSignal.timeout(20) }), {
    name: 'TimeoutError',
  })
})

t.test('a closed client', async (t) => {
  const google = await startMetadata(t)
  const { fetch, idToken, close } = client({ url })
  const release = google.hold('metadata')
  const before = idToken()
  await until(() => google.count('metadata') === 1)
  close()
  release()
  t.type(await before, 'string', 'what was under way ends by itself')
  t.equal((await errorOf(fetch('/'))).code, 'SERVICE_CLIENT_CLOSED')
  t.equal((await errorOf(idToken())).code, 'SERVICE_CLIENT_CLOSED')
})

t.test('whatever is thrown becomes an error with a code', async (t) => {
  for (const thrown of [
    undefined,
    null,
    'text',
    {},
    new Error('words'),
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    { response: { status: 500 } },
  ]) {
    const reason = thrown as Error
    const auth = { fetchIdToken: () => Promise.reject(reason) }
    const error = await errorOf(createServiceClient({ url, auth }).idToken())
    t.equal(error.code, 'SERVICE_CLIENT_TOKEN_UNAVAILABLE')
    t.equal(error.cause, undefined)
    const words = thrown instanceof AggregateError ? 'ECONNREFUSED' : 'words'
    t.equal(error.detail.reason, thrown instanceof Error ? words : undefined)
  }
  const long = { fetchIdToken: () => Promise.reject(new Error('many words '.repeat(500))) }
  const { detail } = await errorOf(createServiceClient({ url, auth: long }).idToken())
  t.ok((detail.reason ?? '').length <= 301)
  const finder = {
    getClient: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOENT' })),
  }
  const lost = await errorOf(createServiceClient({ url, auth: finder }).idToken())
  t.equal(lost.code, 'SERVICE_CLIENT_CREDENTIALS_NOT_FOUND')
})

t.test('a token for another audience is a warning', async (t) => {
  const { issuer } = await startGoogle(t)
  const token = await issuer.idToken({ audience: '32555940559.apps.googleusercontent.com' })
  const { logger, lines } = warnings()
  const auth = { fetchIdToken: async () => token }
  t.equal(await createServiceClient({ url, auth, logger }).idToken(), token)
  t.match(lines, [{ finding: { audience: url }, message: /option serviceAccount/ }])
})

t.test('nothing shows a token', async (t) => {
  await startMetadata(t)
  const made = client({ url })
  const token = await made.idToken()
  t.notOk(holdsPartOf(token, inspect(made, { depth: 10, showHidden: true })))
  const server = createServer((_, response) => response.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const broken = client({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const error = await errorOf(broken.fetch('/'))
  t.equal(error.name, 'TypeError', 'a connection that fails is the error of fetch')
  t.notOk(holdsPartOf(await broken.idToken(), inspect(error, { depth: 10, showHidden: true })))
})

t.test('a process without a logger is warned', async (t) => {
  const { issuer } = await startGoogle(t)
  const token = await issuer.idToken({ audience: 'another' })
  const warned = once(process, 'warning') as Promise<[Error & { detail: string }]>
  const auth = { fetchIdToken: () => Promise.resolve(token) }
  await createServiceClient({ url, auth }).idToken()
  const [{ name, message, detail }] = await warned
  t.equal(name, 'GoogleIdTokenWarning')
  t.match(message, /for another audience/)
  t.same(JSON.parse(detail), { audience: url })
})

t.test('the failures', async (t) => {
  for (const [code, { when, message, remedy }] of Object.entries(FAILURES)) {
    t.match(code, /^SERVICE_CLIENT_[A-Z_]+$/)
    t.ok([when, message, remedy].every((text) => text.length > 10 && !text.endsWith('.')))
  }
})

t.test('a Fastify app that calls others', async (t) => {
  const time = stoppedClock()
  const google = await startMetadata(t, time.clock)
  const service = await startService(t)
  const log = capturedLog()
  const app = Fastify({ logger: { stream: log.stream } })
  const auth = new Compute()
  const { lines, logger } = warnings()
  app.register(serviceClients, {
    profiles: { url: service.url, auth, clock: time.clock },
    search: { url: service.url, audience: 'search', auth, clock: time.clock, logger },
  })
  await app.ready()
  const clients = app.serviceClients as unknown as Record<string, ReturnType<typeof client>>
  t.same(Object.keys(clients), ['profiles', 'search'])
  const tokens = [await clients.profiles?.idToken(), await clients.search?.idToken()]
  t.equal((await clients.profiles?.fetch('/profiles/42'))?.status, 200)
  google.fail('metadata', () => ({ status: 404, body: 'gone' }))
  time.pass(3300)
  for (const one of Object.values(clients)) await one.idToken()
  await until(() => lines.length === 1 && log.lines().length === 1)
  t.match(log.lines(), [
    {
      level: LEVEL.warn,
      serviceClient: 'profiles',
      code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
      detail: { status: 404, reason: /gone/ },
    },
  ])
  t.notOk(tokens.some((token) => holdsPartOf(token ?? '', log.text())))
  await app.close()
  for (const one of Object.values(clients)) {
    t.equal((await errorOf(one.fetch('/'))).code, 'SERVICE_CLIENT_CLOSED')
  }

  const wrong = Fastify()
  wrong.register(serviceClients, { profiles: { url: 'http://search.run.app' } })
  const start = async (): Promise<void> => {
    await wrong.ready()
  }
  await t.rejects(start, { code: 'ID_TOKEN_OPTION_INVALID' })
})

t.test('google-auth-library is loaded when it is needed', async (t) => {
  const google = await startGoogle(t)
  const loaded = async (entry: string, host = google.host) => {
    const { stdout, stderr } = await runProcess('loads-google-auth-library', [entry, host])
    t.equal(stderr, '')
    return stdout
  }
  const [index, client] = await Promise.all([loaded('index'), loaded('client')])
  t.equal(index, 'imported: no')
  t.equal(client, 'imported: no, made: no, called: yes')
})

t.test('without google-auth-library', async (t) => {
  const failed = async (insteadOfIt: string) => {
    const { stdout } = await runProcess('without-google-auth-library', [insteadOfIt])
    return JSON.parse(stdout) as unknown
  }
  const [missing, broken] = await Promise.all([
    failed('not-installed'),
    failed('data:text/javascript,throw new Error("out of order")'),
  ])
  t.match(missing, {
    code: 'SERVICE_CLIENT_LIBRARY_MISSING',
    message: 'google-auth-library is not installed: run: npm install google-auth-library',
  })
  t.match(broken, {
    code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
    detail: { reason: 'out of order' },
  })
})

t.test('application default credentials outside Google Cloud', async (t) => {
  const google = await startGoogle(t)
  const email = 'login@shop-prod.iam.gserviceaccount.com'
  google.allow('federated', email)
  const directory = t.testdir({
    'not.json': '-----BEGIN PRIVATE KEY-----abcdefghijklmnop',
    'federation.json': JSON.stringify(federation(google, { impersonate: email })),
  })
  const found = async (file: string) => {
    const { stdout } = await runProcess('finds-credentials', [directory, file])
    return JSON.parse(stdout) as unknown
  }
  const [federated, nothing, noFile, notJson] = await Promise.all(
    [`${directory}/federation.json`, '', `${directory}/none.json`, `${directory}/not.json`].map(
      found,
    ),
  )
  t.match(federated, { email })
  t.equal(google.count('sts'), 1)
  t.equal(google.count('token'), 0, 'nobody asks for a project')
  t.match(nothing, {
    code: 'SERVICE_CLIENT_CREDENTIALS_NOT_FOUND',
    message: /set GOOGLE_APPLICATION_CREDENTIALS/,
    detail: { reason: /Could not load the default credentials/ },
  })
  t.match(noFile, {
    code: 'SERVICE_CLIENT_CREDENTIALS_NOT_FOUND',
    detail: { reason: /none.json does not exist/ },
  })
  t.match(notJson, {
    code: 'SERVICE_CLIENT_CREDENTIALS_NOT_FOUND',
    detail: { reason: 'the credential file is not JSON' },
  })
  t.notOk(holdsPartOf('abcdefghijklmnop', JSON.stringify(notJson)))
})
