import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import t from 'tap'
import { googleIdToken } from '../../src/express.ts'
import { AuditLog, type AuditedRequest } from '../../src/telemetry/audit-log.ts'
import { fastify, frameworks, recordedLog, type RecordedLine } from '../helpers/guarded-app.ts'
import { rawRequest, type RawRequest } from '../helpers/raw-request.ts'
import { audience, login, signup } from '../helpers/shop.ts'
import { stopMonotonicClock, stoppedClock } from '../helpers/stopped-clock.ts'
import { issuer } from '../helpers/issuer.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks, auditLog: true }

const bearer = async (token: object): Promise<RawRequest> => ({
  headers: [['authorization', `Bearer ${await issuer.idToken({ audience, ...token })}`]],
})
const fromLogin = await bearer({ email: login, subject: '100000000000000000001' })
const fromSignup = await bearer({ email: signup, subject: '100000000000000000002' })

const auditedOf = (lines: readonly RecordedLine[]) =>
  lines.filter(({ fields }) => 'idToken' in fields).map(({ fields }) => fields.idToken)

const REQUEST: AuditedRequest = {
  method: 'GET',
  route: '/orders/:id',
  outcome: 'accepted',
  enforced: true,
  caller: { email: login, subject: '1' },
  header: 'authorization',
}

function timedLog(note?: (line: RecordedLine) => void) {
  const time = stoppedClock()
  const { lines, logger } = recordedLog(note)
  const auditLog = new AuditLog({ interval: 3_600_000, now: time.now, steadyNow: time.now, logger })
  return { auditLog, lines, pass: time.pass }
}

t.test('requests that differ are counted separately, however often they come in turn', (t) => {
  const { auditLog, lines } = timedLog()
  const others: Partial<AuditedRequest>[] = [
    { method: 'POST' },
    { route: null },
    { outcome: 'ID_TOKEN_EXPIRED' },
    { enforced: false },
    { header: 'x-serverless-authorization' },
    { caller: { email: signup, subject: '1' } },
    { caller: { email: login, subject: '2' } },
    { caller: null },
  ]
  for (const other of others) {
    for (let turn = 0; turn < 3; turn += 1) {
      for (const request of [REQUEST, { ...REQUEST, ...other }]) {
        for (let again = 0; again < 2; again += 1) auditLog.record(request)
      }
    }
  }
  const all = [{}, ...others].map((other) => ({ ...REQUEST, ...other }))
  const counted = (...counts: number[]) =>
    all.slice(0, counts.length).map((request, at) => ({ ...request, count: counts[at] }))
  t.strictSame(auditedOf(lines.splice(0)), counted(...all.map(() => 1)), 'one line each')
  auditLog.close()
  t.strictSame(auditedOf(lines.splice(0)), counted(6 * others.length - 1, ...others.map(() => 5)))
  auditLog.record(REQUEST)
  auditLog.close()
  t.strictSame(auditedOf(lines), counted(1))
  t.end()
})

for (const { name, start } of frameworks) {
  t.test(`${name}: a line when a combination is seen first, and one an interval`, async (t) => {
    stopMonotonicClock(t)
    const time = stoppedClock()
    const log = recordedLog()
    const { ask, close } = await start(t, {
      options: { ...options, clock: time.clock },
      policy: { allowedCallers: [login] },
      log,
    })
    const first = {
      method: 'GET',
      route: '/orders/:id',
      outcome: 'accepted',
      enforced: true,
      caller: { email: login, subject: '100000000000000000001' },
      header: 'authorization',
      count: 1,
    }
    for (let i = 0; i < 3; i += 1) await ask({ ...fromLogin, path: `/orders/${i}` })
    t.strictSame(auditedOf(log.lines), [first])
    t.match(
      log.lines.find(({ fields }) => 'idToken' in fields),
      { level: 'info', message: 'ID token audit' },
    )
    await ask(fromSignup)
    await ask({ headers: [['authorization', 'Bearer a.b.c']] })
    t.match(auditedOf(log.lines).slice(1), [
      { outcome: 'ID_TOKEN_CALLER_NOT_ALLOWED', caller: { email: signup }, count: 1 },
      { outcome: 'ID_TOKEN_MALFORMED', caller: null, header: 'authorization' },
    ])
    time.pass(3_599)
    await ask({})
    t.equal(auditedOf(log.lines).length, 4)
    time.pass(1)
    await ask({})
    t.match(auditedOf(log.lines).slice(4), [
      { ...first, count: 2 },
      { outcome: 'ID_TOKEN_MISSING' },
    ])
    await ask({})
    await close()
    t.match(auditedOf(log.lines).slice(6), [{ outcome: 'ID_TOKEN_MISSING', count: 1 }])
  })

  t.test(`${name}: with reportOnly, who would be refused is named`, async (t) => {
    const log = recordedLog()
    const { ask, close } = await start(t, {
      options: { ...options, allowedCallers: [], reportOnly: true },
      log,
    })
    await ask(fromSignup)
    await close()
    t.match(auditedOf(log.lines), [
      {
        route: '/orders/:id',
        outcome: 'ID_TOKEN_CALLER_NOT_ALLOWED',
        enforced: false,
        caller: { email: signup },
      },
    ])
  })
}

t.test('a request without a token, and one without a route, are audited as such', async (t) => {
  const log = recordedLog()
  const { ask, close } = await fastify.start(t, { options, policy: { optional: true }, log })
  await ask({})
  await ask({ ...fromLogin, path: '/nowhere' })
  await close()
  t.match(auditedOf(log.lines), [
    { route: '/orders/:id', outcome: 'anonymous', caller: null, header: null },
    { route: null, outcome: 'accepted', caller: { email: login }, header: 'authorization' },
  ])
})

t.test(
  'a logger of the request without info leaves the line to the one of the options',
  async (t) => {
    const log = recordedLog()
    const app = express()
    app.use((request, _response, next) => {
      Object.assign(request, { log: { warn: () => undefined } })
      next()
    })
    const auth = googleIdToken({ ...options, logger: log.logger })
    app.get('/orders/:id', auth.allow([login]), (_request, response) => response.json({}))
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      auth.verifier.close()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    await rawRequest(port, { ...fromLogin, path: '/orders/1' })
    t.match(auditedOf(log.lines), [{ route: '/orders/:id', outcome: 'accepted' }])
  },
)

t.test('only a caller whose signature was verified is named', async (t) => {
  process.env.K_SERVICE = 'orders'
  t.teardown(() => delete process.env.K_SERVICE)
  const log = recordedLog()
  const { ask } = await fastify.start(t, {
    options: { ...options, trustRemovedSignature: true, reportOnly: true },
    log,
  })
  const stripped = ({ headers = [] }: RawRequest): RawRequest => ({
    headers: headers.map(([, value]) => [
      'x-serverless-authorization',
      value.replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE'),
    ]),
  })
  await ask(stripped(fromLogin))
  await ask(stripped(fromSignup))
  await ask(await bearer({ email: login, expiresIn: -600 }))
  await ask({
    headers: [['authorization', `${fromLogin.headers?.[0]?.[1].slice(0, -9)}AAAAAAAAA`]],
  })
  t.match(auditedOf(log.lines), [
    { outcome: 'accepted', caller: null, header: 'x-serverless-authorization' },
    { outcome: 'ID_TOKEN_CALLER_NOT_ALLOWED', caller: null },
    { outcome: 'ID_TOKEN_EXPIRED', caller: { email: login } },
    { outcome: 'ID_TOKEN_SIGNATURE_INVALID', caller: null },
  ])
})

t.test('a million callers and paths: bounded in lines and in memory', (t) => {
  const { auditLog, lines, pass } = timedLog()
  const FLOOD = 1_000_000
  for (let i = 0; i < FLOOD; i += 1) {
    const caller =
      i % 3 === 0 ? null : { email: `robot-${i}@x.iam.gserviceaccount.com`, subject: String(i) }
    auditLog.record({ ...REQUEST, route: `/paths/${i}`, caller })
  }
  t.equal(lines.length, 1_001, 'the first 1,000, and one for all others')
  t.match(auditedOf(lines).at(-1), {
    method: null,
    route: null,
    outcome: 'others',
    caller: null,
    count: 1,
  })
  pass(3_600)
  auditLog.record(REQUEST)
  t.match(auditedOf(lines).slice(1_001), [
    { outcome: 'others', count: FLOOD - 1_001 },
    { route: '/orders/:id', count: 1 },
  ])
  t.equal(lines.length, 1_003, 'what is not seen again makes room')
  t.end()
})

t.test('every request is in exactly one count', (t) => {
  const { auditLog, lines, pass } = timedLog()
  let sent = 0
  for (let hour = 0; hour < 5; hour += 1) {
    for (let i = 0; i < 50 * hour; i += 1, sent += 1) {
      auditLog.record({ ...REQUEST, caller: { email: undefined, subject: String(i % 7) } })
    }
    pass(3_600)
  }
  auditLog.close()
  const counts = auditedOf(lines).map((line) => (line as { count: number }).count)
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    sent,
  )
  t.end()
})

t.test('requests that differ in one field have a line each, and the same again has none', (t) => {
  const { auditLog, lines } = timedLog()
  const requests = [
    REQUEST,
    { ...REQUEST, method: 'POST' },
    { ...REQUEST, route: '/orders' },
    { ...REQUEST, route: null },
    { ...REQUEST, outcome: 'ID_TOKEN_CALLER_NOT_ALLOWED' },
    { ...REQUEST, enforced: false },
    { ...REQUEST, header: 'x-serverless-authorization' },
    { ...REQUEST, header: null },
    { ...REQUEST, caller: null },
    { ...REQUEST, caller: { email: signup, subject: '1' } },
    { ...REQUEST, caller: { email: undefined, subject: '1' } },
    { ...REQUEST, caller: { email: login, subject: '2' } },
  ]
  for (const request of [...requests, ...requests]) auditLog.record(request)
  t.strictSame(
    auditedOf(lines),
    requests.map((request) => ({ ...request, count: 1 })),
  )
  auditLog.close()
  t.equal(lines.length, 2 * requests.length)
  t.end()
})

t.test('a caller cannot make lines long or many', (t) => {
  const { auditLog, lines } = timedLog()
  for (const end of ['a', 'b']) {
    auditLog.record({ ...REQUEST, caller: { email: `${'x'.repeat(9_000)}\n${end}`, subject: '1' } })
  }
  t.equal(lines.length, 1)
  t.ok(JSON.stringify(lines).length < 1_000)
  t.end()
})

t.test('a logger that throws changes no answer, and the process warns once a minute', async (t) => {
  const warned = t.capture(process, 'emitWarning')
  const log = recordedLog(({ level, fields }) => {
    if (level === 'info' && 'idToken' in fields) throw new Error('out of order')
  })
  const { ask } = await fastify.start(t, { options, log })
  t.match(await ask(fromLogin), { status: 200 })
  t.match(await ask(fromSignup), { status: 403 })
  t.equal(warned().length, 1)
})

t.test('Express: a route that is not found has none, and a found one is named late', async (t) => {
  const log = recordedLog()
  const app = express()
  const auth = googleIdToken({ ...options, reportOnly: true, logger: log.logger })
  app.use(auth)
  const router = express.Router()
  router.get('/:id', (_request, response) => void response.end())
  app.use('/shops/:shop', router)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await rawRequest(port, { ...fromLogin, path: '/nowhere' })
  await rawRequest(port, { ...fromLogin, path: '/shops/berlin/1' })
  t.match(auditedOf(log.lines), [{ route: null }, { route: '/shops/berlin/:id' }])
  t.teardown(() => {
    auth.verifier.close()
  })
})

t.test('names of routes are bounded in Express', async (t) => {
  const log = recordedLog()
  const app = express()
  const auth = googleIdToken({ ...options, logger: log.logger })
  const router = express.Router()
  router.get('/:id', auth.allow([login]), (_request, response) => void response.end())
  app.use('/:shop', router)
  const handle = (path: string): Promise<void> =>
    new Promise((resolve) => {
      const request = { url: path, method: 'GET', headers: {}, rawHeaders: [], socket: {} }
      const response = { setHeader: () => undefined, headersSent: false, closed: true }
      app(request as never, response as never, () => {
        resolve()
      })
    })
  for (let i = 0; i < 1_002; i += 1) await handle(`/${i}/1`)
  const routes = auditedOf(log.lines).map((line) => (line as { route: string }).route)
  t.equal(routes[999], '/999/:id')
  t.strictSame(routes.slice(1_000), [null])
})

t.test('a wrong option fails at start', (t) => {
  for (const [wrong, message] of [
    [{ auditLog: 'yes' }, /^Option auditLog is 'yes'; accepted: true, false, or an object with/],
    [{ auditLog: { intervalSeconds: 0 } }, /^Option auditLog\.intervalSeconds is 0; .* from 1 to/],
    [{ auditLog: { seconds: 1 } }, /^Option auditLog\.seconds/],
    [{ logger: { warn: () => undefined } }, /^Option logger is .*a logger with info/],
    [{}, /^Option logger is missing; accepted: with auditLog, a logger with info/],
  ] as const) {
    t.throws(() => googleIdToken({ ...options, ...(wrong as object) }), { message })
  }
  const { logger } = recordedLog()
  googleIdToken({ ...options, logger, auditLog: { intervalSeconds: 60 } }).verifier.close()
  googleIdToken({ ...options, auditLog: false }).verifier.close()
  t.end()
})
