/** Pushes to guarded services and to broken ones, over real sockets; options that are refused. */
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync } from 'node:zlib'
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import googleIdToken from '../../../src/index.ts'
import { selfSignedCertificate } from '../../../src/testing/emulator/x509-certificate.ts'
import { startService } from '../../helpers/recording-service.ts'
import { freePort } from '../../helpers/free-port.ts'
import { audience, search } from '../../helpers/shop.ts'
import { pusher, PRODUCTS, startPushing } from '../../helpers/push.ts'

t.test('a guarded route lets the listed account in, for its audiences alone', async (t) => {
  const google = await startPushing(t, { clock: () => new Date() })
  // A push URL is known before the service listens there, as it is where a service is deployed.
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const pushUrl = `${origin}/push-url?from=google`
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(googleIdToken, {
    audience: [pushUrl, origin],
    allowedCallers: [pusher],
    jwksUri: google.jwksUri,
  })
  const tellCaller = ({ caller }: FastifyRequest) => [caller.email, caller.audience]
  app.addContentTypeParser('*', (_request, _body, done) => {
    done(null)
  })
  app.post('/push-url', tellCaller)
  app.post('/custom', { config: { idToken: { audience } } }, tellCaller)
  await app.listen({ port, host: '127.0.0.1' })

  for (const product of PRODUCTS) {
    const push = google.push[product]
    const byDefault = await push({ url: pushUrl, serviceAccount: pusher })
    t.equal(byDefault.status, 200, `${product} for its default audience`)
    t.same(await byDefault.json(), [pusher, product === 'eventarc' ? origin : pushUrl])

    const custom = { url: `${origin}/custom`, serviceAccount: pusher, audience }
    const explicit = await push(custom)
    t.equal(explicit.status, 200, `${product} for the audience that it is given`)
    t.same(await explicit.json(), [pusher, audience])

    const other = await push({ ...custom, serviceAccount: search })
    t.equal(other.status, 403, `${product} as another account`)
    t.match(await other.json(), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })

    const mistaken = await push({ ...custom, audience: undefined })
    t.equal(mistaken.status, 401, `${product} for its URL, which is no audience there`)
    t.match(await mistaken.json(), { code: 'ID_TOKEN_AUDIENCE_MISMATCH' })
    t.match(
      mistaken.headers.get('www-authenticate'),
      /^Bearer realm="[^"]+", error="invalid_token"/,
    )
  }
})

t.test('an answer is handed on as it is, and no redirect is followed', async (t) => {
  const google = await startPushing(t)
  const elsewhere = await startService(t)
  const service = await startService(t, ({ url }, response) => {
    const status = Number(url.slice(1))
    response.writeHead(
      status,
      'As It Is',
      [
        ['location', elsewhere.url],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ].flat(),
    )
    response.end([204, 304].includes(status) ? undefined : 'body')
  })
  for (const status of [200, 201, 204, 304, 307, 308, 302, 404, 503]) {
    const response = await google.push.cloudTasks({
      url: `${service.url}/${status}`,
      serviceAccount: pusher,
    })
    t.equal(response.status, status)
    t.equal(response.statusText, 'As It Is')
    t.strictSame(response.headers.getSetCookie(), ['a=1', 'b=2'])
    t.equal(await response.text(), [204, 304].includes(status) ? '' : 'body')
  }
  t.equal(elsewhere.requests.length, 0)
  const head = { url: `${service.url}/200`, serviceAccount: pusher, httpMethod: 'HEAD' as const }
  t.equal(await (await google.push.cloudScheduler(head)).text(), '')

  const compressed = brotliCompressSync('x')
  const bytes = await startService(t, (_, response) => response.end(compressed))
  const answer = await google.push.pubsub({ url: bytes.url, serviceAccount: pusher })
  t.same(Buffer.from(await answer.arrayBuffer()), compressed)
})

t.test('a target that hangs is given up, before its answer and within it', async (t) => {
  const google = await startPushing(t)
  for (const answer of ['nothing', 'the head', 'half a body']) {
    const service = await startService(t, (_, response) => {
      if (answer === 'the head') response.flushHeaders()
      if (answer === 'half a body') response.write('half')
    })
    const target = { url: service.url, serviceAccount: pusher }
    await t.rejects(google.push.pubsub({ ...target, timeout: 0.05 }), { name: 'TimeoutError' })
    const { signal } = new AbortController()
    await t.rejects(google.push.cloudTasks({ ...target, timeout: 0.05, signal }), {
      name: 'TimeoutError',
    })
    const reason = new Error('enough')
    const soon = new AbortController()
    setTimeout(() => {
      soon.abort(reason)
    }, 50)
    await t.rejects(google.push.eventarc({ ...target, signal: soon.signal }), reason)
    const aborted = google.push.cloudScheduler({ ...target, signal: AbortSignal.abort(reason) })
    await t.rejects(aborted, reason)
  }
})

t.test('a connection that fails is an error, which does not hold the token', async (t) => {
  const google = await startPushing(t)
  const resetting = await startService(t, (_, response) => {
    response.socket?.resetAndDestroy()
  })
  const truncating = await startService(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half', () => {
      response.socket?.destroy()
    })
  })
  const impossible = await startService(t, (_, response) => response.writeHead(999).end())
  const privateKey = createPrivateKey({
    key: google.serviceAccountKey(pusher).private_key,
    format: 'pem',
  })
  const from = new Date(Date.now() - 1000)
  const to = new Date(Date.now() + 60_000)
  const tls = createTlsServer({
    key: google.serviceAccountKey(pusher).private_key,
    cert: selfSignedCertificate(privateKey, { from, to }),
  }).listen(0, '127.0.0.1')
  await once(tls, 'listening')
  t.teardown(() => tls.close())
  const rows: [url: string, error: object][] = [
    [`http://127.0.0.1:${await freePort()}`, { code: 'ECONNREFUSED' }],
    [resetting.url, { code: 'ECONNRESET' }],
    [truncating.url, { code: 'ECONNRESET' }],
    [impossible.url, { name: 'RangeError' }],
    [
      `HTTPS://127.0.0.1:${(tls.address() as AddressInfo).port}`,
      { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ],
  ]
  for (const [url, expected] of rows) {
    const error = await google.push.pubsub({ url, serviceAccount: pusher }).then(
      () => t.fail(url),
      (reason: unknown) => reason as Error,
    )
    t.match(error, expected, url)
    const shown = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).stack)}`
    t.notMatch(shown, /eyJ|Bearer/, 'no token')
  }
})

t.test('a wrong option is named, with what is accepted', async (t) => {
  const google = await startPushing(t)
  const good = { url: 'http://127.0.0.1:9', serviceAccount: pusher }
  const common: [options: unknown, message: RegExp][] = [
    [undefined, /Option options is missing/],
    [{ ...good, urll: 'x' }, /Option urll is 'x'; accepted: only the names url, serviceAccount/],
    [{ ...good, url: undefined }, /Option url is missing; accepted: an https URL/],
    [{ ...good, url: 'http://example.com' }, /Option url is 'http:\/\/example\.com'; accepted/],
    [{ ...good, url: 'http://a:b@127.0.0.1' }, /Option url is a URL with credentials/],
    [{ ...good, serviceAccount: undefined }, /Option serviceAccount is missing; .*an email/],
    [{ ...good, serviceAccount: 'login' }, /Option serviceAccount is 'login'/],
    [{ ...good, audience: '' }, /Option audience is ''/],
    [{ ...good, audience: ['a'] }, /Option audience is \[ 'a' \]/],
    [{ ...good, timeout: 0 }, /Option timeout is 0; .*0\.001 to 1800/],
    [{ ...good, timeout: 1801 }, /Option timeout is 1801/],
    [{ ...good, signal: 5 }, /Option signal is 5; accepted: an AbortSignal/],
  ]
  const own: Record<(typeof PRODUCTS)[number], [options: object, message: RegExp][]> = {
    pubsub: [
      [{ queueName: 'q' }, /Option queueName is 'q'/],
      [{ data: { a: 1 } }, /Option data is neither text nor bytes/],
      [{ data: '' }, /Option data is ''; accepted: .*at least one attribute/],
      [{ attributes: ['a'] }, /Option attributes is \[ 'a' \]/],
      [{ attributes: null }, /Option attributes is null/],
      [{ attributes: { a: 1 } }, /Option attributes\.a is no string/],
      [
        { attributes: { 'a b': 'c' }, noWrapper: { writeMetadata: true } },
        /Option attributes\.a b is no header/,
      ],
      [{ messageId: '' }, /Option messageId is ''/],
      [{ publishTime: 5 }, /Option publishTime is 5; accepted: a valid Date/],
      [{ publishTime: new Date(NaN) }, /Option publishTime is Invalid Date/],
      [{ orderingKey: 'ü' }, /Option orderingKey is 'ü'/],
      [{ subscription: 'mine' }, /Option subscription is 'mine'; .*projects\/PROJECT/],
      [{ subscription: 5 }, /Option subscription is 5/],
      [{ deliveryAttempt: 0 }, /Option deliveryAttempt is 0; .*integer from 1/],
      [{ noWrapper: 'yes' }, /Option noWrapper is 'yes'; accepted: a boolean, or/],
      [{ noWrapper: { metadata: true } }, /Option noWrapper\.metadata is true/],
      [{ noWrapper: { writeMetadata: 1 } }, /Option noWrapper\.writeMetadata is 1/],
    ],
    cloudTasks: [
      [{ jobName: 'j' }, /Option jobName is 'j'/],
      [{ httpMethod: 'post' }, /Option httpMethod is 'post'; accepted: POST, GET/],
      [{ httpMethod: 'GET', body: 'a' }, /Option httpMethod is 'GET'; .*POST, PUT, PATCH where/],
      [{ body: 5 }, /Option body is neither text nor bytes/],
      [{ headers: { 'x-key': 'a\nb' } }, /Option headers\.x-key is no header/],
      [{ queueName: 'a\nb' }, /Option queueName is 'a\\nb'/],
      [{ taskName: 5 }, /Option taskName is 5/],
      [{ retryCount: -1 }, /Option retryCount is -1/],
      [{ executionCount: 1.5 }, /Option executionCount is 1\.5/],
      [{ scheduleTime: 'now' }, /Option scheduleTime is 'now'/],
      [{ previousResponse: 600 }, /Option previousResponse is 600; .*from 100 to 599/],
      [{ retryReason: '' }, /Option retryReason is ''/],
    ],
    cloudScheduler: [
      [{ taskName: 't' }, /Option taskName is 't'/],
      [{ jobName: '' }, /Option jobName is ''/],
      [{ scheduleTime: 0 }, /Option scheduleTime is 0/],
    ],
    eventarc: [
      [{ attributes: {} }, /Option attributes is \{\}/],
      [{ type: '' }, /Option type is ''/],
      [{ source: 5 }, /Option source is 5/],
      [{ subject: '' }, /Option subject is ''/],
      [{ id: '' }, /Option id is ''/],
      [{ time: '' }, /Option time is ''/],
      [{ data: () => 1 }, /Option data is \[Function/],
      [{ data: 1n }, /Option data is 1n; accepted: anything that is JSON/],
    ],
  }
  for (const product of PRODUCTS) {
    const push = google.push[product] as (options: unknown) => Promise<Response>
    for (const [options, message] of common) {
      await t.rejects(push(options), { code: 'ID_TOKEN_OPTION_INVALID', message })
    }
    for (const [options, message] of own[product]) {
      await t.rejects(push({ ...good, ...options }), { code: 'ID_TOKEN_OPTION_INVALID', message })
    }
  }
  // What may be a secret is not shown.
  const headers = { 'x-key': 'secret\n' }
  const error = await google.push
    .cloudTasks({ ...good, headers })
    .catch((reason: unknown) => reason)
  t.notMatch(String(error), /secret/)
})
