/** Pushes of Google's products, over real sockets, to services that the plugin guards. */
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync } from 'node:zlib'
import Fastify, { type FastifyRequest } from 'fastify'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import googleIdToken from '../../../src/index.ts'
import {
  startGoogleEmulator,
  type GoogleEmulator,
  type GoogleEmulatorOptions,
  type PushSenders,
} from '../../../src/testing.ts'
import { selfSignedCertificate } from '../../../src/testing/emulator/x509-certificate.ts'
import { startService, type RecordedRequest } from '../../helpers/recording-service.ts'

const pusher = 'pusher@shop-prod.iam.gserviceaccount.com'
const search = 'search@shop-prod.iam.gserviceaccount.com'
const audience = 'https://user-profiles-abc123-uc.a.run.app'
const time = new Date('2026-03-01T12:00:30.123Z')
const PRODUCTS = ['pubsub', 'cloudTasks', 'cloudScheduler', 'eventarc'] as const

async function start(t: Test, options: GoogleEmulatorOptions = {}): Promise<GoogleEmulator> {
  const google = await startGoogleEmulator({
    projectId: 'shop-prod',
    clock: () => time,
    ...options,
  })
  t.teardown(() => google.close())
  return google
}

interface RecordedPush extends RecordedRequest {
  readonly claims: Readonly<Record<string, unknown>>
}

/** Makes one push at a service that takes anything, and gives what came there, with its claims. */
async function recorded(t: Test, push: (url: string) => Promise<Response>): Promise<RecordedPush> {
  const service = await startService(t)
  const response = await push(service.url)
  t.equal(response.status, 200)
  t.equal(await response.text(), 'ok')
  const [request, ...others] = service.requests
  if (request === undefined || others.length > 0) throw new Error('not one request')
  const [token = ''] = service.tokens()
  return { ...request, claims: decodeJwt(token) }
}

const OF_EVERY_CLIENT = ['host', 'connection', 'content-length', 'authorization']

/** The headers that the product chose, but for the token. */
function ownHeaders({ headers }: RecordedRequest): object {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_EVERY_CLIENT.includes(name)),
  )
}

t.test('a guarded route lets the listed account in, for its audiences alone', async (t) => {
  const google = await start(t, { clock: () => new Date() })
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

async function freePort(): Promise<number> {
  const app = Fastify()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  await app.close()
  return port
}

t.test('every token says what those of the product say', async (t) => {
  const google = await start(t, { idTokenLifetime: 120 })
  const { client_id: uniqueId } = google.serviceAccountKey(pusher)
  for (const product of PRODUCTS) {
    const { claims } = await recorded(t, (url) =>
      google.push[product]({ url, serviceAccount: pusher, audience }),
    )
    const iat = Math.floor(time.getTime() / 1000)
    t.strictSame(claims, {
      aud: audience,
      azp: uniqueId,
      email: pusher,
      email_verified: true,
      exp: iat + 120,
      iat,
      iss: 'https://accounts.google.com',
      sub: uniqueId,
    })
  }
})

t.test('the default audience is the URL as it is given, path and query too', async (t) => {
  const google = await start(t)
  for (const product of ['pubsub', 'cloudTasks', 'cloudScheduler'] as const) {
    for (const path of ['', '/', '/a/b?c=d&e=%2F']) {
      const { claims, url } = await recorded(t, (origin) =>
        google.push[product]({ url: `${origin}${path}`, serviceAccount: pusher }),
      )
      t.equal(String(claims.aud).replace(/^http:\/\/127\.0\.0\.1:\d+/, ''), path)
      t.equal(url, path || '/')
    }
  }
})

const GOOGLE_APIS = {
  accept: 'application/json',
  from: 'noreply@google.com',
  'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
}

t.test('Pub/Sub: a message with everything in it', async (t) => {
  const google = await start(t)
  const push = (options: Partial<Parameters<PushSenders['pubsub']>[0]>) =>
    recorded(t, (url) => google.push.pubsub({ url, serviceAccount: pusher, ...options }))
  const plain = await push({})
  t.equal(plain.method, 'POST')
  t.strictSame(ownHeaders(plain), { ...GOOGLE_APIS, 'content-type': 'application/json' })
  const body = JSON.parse(plain.body) as { message: { messageId: string } }
  const { messageId } = body.message
  t.match(messageId, /^\d{17}$/)
  const publishTime = '2026-03-01T12:00:30.123Z'
  t.strictSame(body, {
    message: {
      data: 'SGVsbG8sIFdvcmxkIQ==',
      messageId,
      message_id: messageId,
      publishTime,
      publish_time: publishTime,
    },
    subscription: 'projects/shop-prod/subscriptions/emulator-subscription',
  })

  const full = await push({
    data: new Uint8Array([0, 255]),
    attributes: { kind: 'signup' },
    messageId: '136969346945',
    publishTime: new Date(0),
    orderingKey: 'user 42',
    subscription: 'projects/p/subscriptions/s',
    deliveryAttempt: 5,
    noWrapper: false,
  })
  t.strictSame(JSON.parse(full.body), {
    message: {
      attributes: { kind: 'signup' },
      data: 'AP8=',
      messageId: '136969346945',
      message_id: '136969346945',
      orderingKey: 'user 42',
      publishTime: '1970-01-01T00:00:00.000Z',
      publish_time: '1970-01-01T00:00:00.000Z',
    },
    subscription: 'projects/p/subscriptions/s',
    deliveryAttempt: 5,
  })
  const { body: attributesOnly } = await push({ data: '', attributes: { kind: 'signup' } })
  t.notOk('data' in (JSON.parse(attributesOnly) as { message: object }).message)
})

t.test('Pub/Sub: the data alone, with and without the metadata in headers', async (t) => {
  const google = await start(t)
  const message = {
    data: '{"userId":42}',
    messageId: '1',
    attributes: {
      kind: 'signup',
      'content-type': 'application/vnd.shop+json',
      // None of these may replace what the request needs.
      authorization: 'Bearer x',
      'Content-Length': '3',
      host: 'elsewhere.example.com',
    },
  }
  const push = (options: Partial<Parameters<PushSenders['pubsub']>[0]>) =>
    recorded(t, (url) =>
      google.push.pubsub({ url, serviceAccount: pusher, ...message, ...options }),
    )
  for (const noWrapper of [true, {}, { writeMetadata: false }]) {
    const { body, ...request } = await push({ noWrapper })
    t.equal(body, '{"userId":42}')
    t.strictSame(ownHeaders({ body, ...request }), {
      ...GOOGLE_APIS,
      'content-type': 'application/json',
    })
  }
  const metadata = await push({ noWrapper: { writeMetadata: true } })
  t.equal(metadata.body, '{"userId":42}')
  const expected = {
    ...GOOGLE_APIS,
    'content-type': 'application/vnd.shop+json',
    kind: 'signup',
    'x-goog-pubsub-message-id': '1',
    'x-goog-pubsub-publish-time': '2026-03-01T12:00:30.123Z',
    'x-goog-pubsub-subscription-name': 'projects/shop-prod/subscriptions/emulator-subscription',
  }
  t.strictSame(ownHeaders(metadata), expected)
  t.equal(metadata.claims.email, pusher)
  const ordered = await push({ noWrapper: { writeMetadata: true }, orderingKey: 'user 42' })
  t.strictSame(ownHeaders(ordered), { ...expected, 'x-goog-pubsub-ordering-key': 'user 42' })
})

t.test('Cloud Tasks: the request of the task, and which attempt it is', async (t) => {
  const google = await start(t)
  const push = (options: Partial<Parameters<PushSenders['cloudTasks']>[0]>) =>
    recorded(t, (url) => google.push.cloudTasks({ url, serviceAccount: pusher, ...options }))
  const first = await push({ headers: { 'x-cloudtasks-taskretryreason': 'forged' } })
  t.strictSame([first.method, first.body], ['POST', ''])
  t.match(first.headers['x-cloudtasks-taskname'], /^\d{20}$/)
  t.strictSame(ownHeaders(first), {
    'user-agent': 'Google-Cloud-Tasks',
    'x-cloudtasks-queuename': 'emulator-queue',
    'x-cloudtasks-taskname': first.headers['x-cloudtasks-taskname'],
    'x-cloudtasks-taskretrycount': '0',
    'x-cloudtasks-taskexecutioncount': '0',
    'x-cloudtasks-tasketa': '1772366430.123000',
  })
  const retry = await push({
    httpMethod: 'PUT',
    headers: {
      'Content-Type': 'text/plain',
      'X-Shop': 'a',
      'user-agent': 'mine',
      Authorization: 'Basic x',
      'x-cloudtasks-queuename': 'forged',
      'X-Google-Anything': 'x',
      'X-AppEngine-Anything': 'x',
    },
    body: 'hello',
    queueName: 'mails',
    taskName: 'welcome-42',
    retryCount: 3,
    executionCount: 2,
    scheduleTime: new Date(1666670855329),
    previousResponse: 503,
    retryReason: 'App Error',
  })
  t.strictSame([retry.method, retry.body], ['PUT', 'hello'])
  t.strictSame(ownHeaders(retry), {
    'content-type': 'text/plain',
    'x-shop': 'a',
    'user-agent': 'Google-Cloud-Tasks',
    'x-cloudtasks-queuename': 'mails',
    'x-cloudtasks-taskname': 'welcome-42',
    'x-cloudtasks-taskretrycount': '3',
    'x-cloudtasks-taskexecutioncount': '2',
    'x-cloudtasks-tasketa': '1666670855.329000',
    'x-cloudtasks-taskpreviousresponse': '503',
    'x-cloudtasks-taskretryreason': 'App Error',
  })
  t.equal(retry.claims.email, pusher)
})

t.test('Cloud Scheduler: the request of the job, and when it was due', async (t) => {
  const google = await start(t)
  const push = (options: Partial<Parameters<PushSenders['cloudScheduler']>[0]>) =>
    recorded(t, (url) => google.push.cloudScheduler({ url, serviceAccount: pusher, ...options }))
  const run = await push({})
  t.strictSame([run.method, run.body], ['POST', ''])
  t.strictSame(ownHeaders(run), {
    'user-agent': 'Google-Cloud-Scheduler',
    'x-cloudscheduler': 'true',
    'x-cloudscheduler-jobname': 'emulator-job',
    'x-cloudscheduler-scheduletime': '2026-03-01T12:00:00Z',
  })
  const full = await push({
    httpMethod: 'GET',
    headers: { 'x-cloudscheduler': 'false', 'X-CloudScheduler-Other': 'forged', 'X-Shop': 'a' },
    jobName: 'nightly',
    scheduleTime: new Date('2026-03-01T03:00:00.999Z'),
  })
  t.equal(full.method, 'GET')
  t.strictSame(ownHeaders(full), {
    'x-shop': 'a',
    'user-agent': 'Google-Cloud-Scheduler',
    'x-cloudscheduler': 'true',
    'x-cloudscheduler-jobname': 'nightly',
    'x-cloudscheduler-scheduletime': '2026-03-01T03:00:00Z',
  })
})

t.test('Eventarc: a CloudEvent in binary mode, pushed by Pub/Sub', async (t) => {
  const google = await start(t)
  const push = (path: string, options: Partial<Parameters<PushSenders['eventarc']>[0]>) =>
    recorded(t, (url) =>
      google.push.eventarc({ url: `${url}${path}`, serviceAccount: pusher, ...options }),
    )
  const message = await push('', {})
  const topic = 'projects/shop-prod/topics/emulator-topic'
  t.equal(message.method, 'POST')
  t.equal(message.url, `/?__GCP_CloudEventsMode=CUSTOM_PUBSUB_${encodeURIComponent(topic)}`)
  t.match(message.claims.aud, /^http:\/\/127\.0\.0\.1:\d+$/)
  const id = message.headers['ce-id']
  t.strictSame(ownHeaders(message), {
    ...GOOGLE_APIS,
    'content-type': 'application/json',
    'ce-id': id,
    'ce-source': `//pubsub.googleapis.com/${topic}`,
    'ce-specversion': '1.0',
    'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
    'ce-time': '2026-03-01T12:00:30.123Z',
  })
  t.match(JSON.parse(message.body), {
    message: { messageId: id, data: 'SGVsbG8sIFdvcmxkIQ==' },
    subscription: 'projects/shop-prod/subscriptions/eventarc-emulator-trigger-sub',
  })
  const upload = await push('/uploads?a=b', {
    type: 'google.cloud.storage.object.v1.finalized',
    source: '//storage.googleapis.com/projects/_/buckets/photos',
    subject: 'objects/cat.jpg',
    id: '7',
    time: new Date(0),
    data: { bucket: 'photos', name: 'cat.jpg' },
    audience,
  })
  t.equal(upload.url, '/uploads?a=b&__GCP_CloudEventsMode=GCS_NOTIFICATION')
  t.equal(upload.claims.aud, audience)
  t.equal(upload.body, '{"bucket":"photos","name":"cat.jpg"}')
  t.match(upload.headers, {
    'ce-id': '7',
    'ce-source': '//storage.googleapis.com/projects/_/buckets/photos',
    'ce-subject': 'objects/cat.jpg',
    'ce-time': '1970-01-01T00:00:00.000Z',
    'ce-type': 'google.cloud.storage.object.v1.finalized',
  })
  const written = await push('', { type: 'google.cloud.audit.log.v1.written', data: null })
  t.equal(written.url, '/?__GCP_CloudEventsMode=CE_PUBSUB_BINDING')
  t.equal(written.body, 'null')
})

t.test('an answer is handed on as it is, and no redirect is followed', async (t) => {
  const google = await start(t)
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
  const google = await start(t)
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

t.test('a connection that fails is told, without the token', async (t) => {
  const google = await start(t)
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
    const told = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).stack)}`
    t.notMatch(told, /eyJ|Bearer/, 'no token')
  }
})

t.test('a wrong option is named, with what is accepted', async (t) => {
  const google = await start(t)
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
  // What may be a secret is not told.
  const headers = { 'x-key': 'secret\n' }
  const error = await google.push
    .cloudTasks({ ...good, headers })
    .catch((reason: unknown) => reason)
  t.notMatch(String(error), /secret/)
})
