/** What each product of Google pushes: method, headers, body and the claims of its token. */
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { type PushSenders } from '../../../src/testing.ts'
import { startService, type RecordedRequest } from '../../helpers/recording-service.ts'
import { audience } from '../../helpers/shop.ts'
import { pusher, PRODUCTS, startPushing, time } from '../../helpers/push.ts'

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

t.test('every token says what those of the product say', async (t) => {
  const google = await startPushing(t, { idTokenLifetime: 120 })
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
  const google = await startPushing(t)
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
  const google = await startPushing(t)
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
  const google = await startPushing(t)
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
  const google = await startPushing(t)
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
  const google = await startPushing(t)
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
  const google = await startPushing(t)
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
