/** What `fetch` of a client sends, to whom, and how long it waits. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { Compute } from 'google-auth-library'
import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { holdsPartOf } from '../helpers/captured-log.ts'
import { errorOf } from '../helpers/client-helpers.ts'
import { client, startMetadata } from '../helpers/metadata-client.ts'
import { startService } from '../helpers/recording-service.ts'
import { audience as url } from '../helpers/shop.ts'

t.test('the fetch of a client takes what the global fetch takes', async (t) => {
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
  t.type(await waiting, 'string', 'other waiting calls are not disturbed')
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
