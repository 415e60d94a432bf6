/** Making a client: its options, its credentials, its library, its place in a Fastify app. */
import { once } from 'node:events'
import Fastify from 'fastify'
import { Compute } from 'google-auth-library'
import t from 'tap'
import {
  createServiceClient,
  type ServiceClient,
  type ServiceClientOptions,
} from '../../src/client.ts'
import { serviceClients } from '../../src/client-fastify.ts'
import { FAILURES } from '../../src/client/failures.ts'
import { capturedLog, holdsPartOf, LEVEL, warnings } from '../helpers/captured-log.ts'
import { errorOf } from '../helpers/client-helpers.ts'
import { federation, startGoogle } from '../helpers/google-server.ts'
import { startMetadata } from '../helpers/metadata-client.ts'
import { startService } from '../helpers/recording-service.ts'
import { runProcess } from '../helpers/run-process.ts'
import { audience as url, login as email } from '../helpers/shop.ts'
import { stoppedClock } from '../helpers/stopped-clock.ts'
import { until } from '../helpers/waiting.ts'

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
  const clients = app.serviceClients as unknown as Record<string, ServiceClient>
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
