/** Which token a client sends: shared, fetched ahead, kept in an outage, replaced after a 401. */
import { inspect } from 'node:util'
import Fastify from 'fastify'
import { Compute } from 'google-auth-library'
import t from 'tap'
import { createServiceClient, ServiceClientError } from '../../src/client.ts'
import googleIdToken from '../../src/index.ts'
import { holdsPartOf, warnings } from '../helpers/captured-log.ts'
import { countingCredentials, errorOf, settled } from '../helpers/client-helpers.ts'
import { NODE_EMAIL, startGoogle } from '../helpers/google-server.ts'
import { client, startMetadata } from '../helpers/metadata-client.ts'
import { startService } from '../helpers/recording-service.ts'
import { audience as url } from '../helpers/shop.ts'
import { stopMonotonicClock, stoppedClock } from '../helpers/stopped-clock.ts'
import { deferred, until } from '../helpers/waiting.ts'

stopMonotonicClock(t)

t.test(
  'one fetch of a token for concurrent callers, and one token for all who may share it',
  async (t) => {
    const google = await startMetadata(t)
    const service = await startService(t)
    const auth = new Compute()
    const first = createServiceClient({ url: service.url, auth })
    const released = google.hold('metadata')
    const calls = Array.from({ length: 200 }, (_, index) => first.fetch(`/${index}`))
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

t.test('without the metadata server, calls go on while the current token is valid', async (t) => {
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
  const patient = createServiceClient({ url, auth, clock })
  const first = await patient.idToken()
  // They share the token, and the hasty one has never to wait for a signature.
  const { idToken } = createServiceClient({ url, auth, clock, logger, timeout: 0.02 })
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
  const { clock, pass } = stoppedClock()
  const hasty = createServiceClient({ url, auth, clock, timeout: 0.02 })
  t.equal((await errorOf(hasty.idToken())).code, 'SERVICE_CLIENT_TOKEN_TIMED_OUT')
  pass(1)
  const { idToken } = createServiceClient({ url, auth, clock })
  const second = idToken()
  await until(() => answers.length === 2)
  answers[1]?.(newer ?? '')
  t.equal(await second, newer)
  answers[0]?.(older ?? '')
  await settled()
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
  const never = client({ url: service.url, clock: stoppedClock().clock })
  service.requests.length = 0
  for (let call = 0; call < 20; call += 1) {
    const refusal = await never.fetch('/never')
    t.equal(refusal.status, 401)
    t.equal(await refusal.text(), 'answer')
  }
  t.equal(google.count('metadata') - calls, 6, 'five fresh tokens, then a pause')
  t.equal(service.requests.length, 25, 'one retry each')
})

t.test('401: if there is no other token, the caller gets the 401', async (t) => {
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

t.test('a token for another audience is a warning', async (t) => {
  const { issuer } = await startGoogle(t)
  const token = await issuer.idToken({ audience: '32555940559.apps.googleusercontent.com' })
  const { logger, lines } = warnings()
  const auth = { fetchIdToken: async () => token }
  t.equal(await createServiceClient({ url, auth, logger }).idToken(), token)
  t.match(lines, [{ finding: { audience: url }, message: /option serviceAccount/ }])
})
