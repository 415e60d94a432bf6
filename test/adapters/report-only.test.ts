/** With `reportOnly`, everyone is let in, and the log says what enforcing would do. */
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import { googleIdToken } from '../../src/express.ts'
import guardFastify from '../../src/index.ts'
import { fastify, frameworks, recordedLog, type RecordedLine } from '../helpers/guarded-app.ts'
import { listenOnLoopback } from '../helpers/listen-on-loopback.ts'
import { meterWith } from '../helpers/meter.ts'
import type { RawRequest } from '../helpers/raw-request.ts'
import { audience, login, signup } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const options = { audience, jwks: issuer.jwks }
const listed = { ...options, allowedCallers: [login] }

const bearer = async (email: string): Promise<RawRequest> => ({
  headers: [['authorization', `Bearer ${await issuer.idToken({ email, audience })}`]],
})
const fromLogin = await bearer(login)
const fromSignup = await bearer(signup)
const forged: RawRequest = { headers: [['authorization', 'Bearer a.b.c']] }

const LET_IN = { status: 200, body: '{"caller":null}' }
const refusals = (lines: readonly RecordedLine[]) =>
  lines.filter(({ message }) => message.startsWith('ID token '))

for (const { name, start } of frameworks) {
  t.test(`${name}: everyone is let in, and the log says who would not be`, async (t) => {
    const log = recordedLog()
    const { ask } = await start(t, { options: { ...listed, reportOnly: true }, log })
    t.match(log.warned(), [{ message: /^reportOnly is on .*let in$/ }])
    t.match(await ask(fromLogin), { status: 200, body: `{"caller":"${login}"}` })
    t.equal(log.warned().length, 1, 'nothing about an accepted caller')
    for (const request of [fromSignup, forged, {}]) {
      const answer = await ask(request)
      t.match(answer, LET_IN)
      t.notOk('www-authenticate' in answer.headers)
    }
    t.match(refusals(log.lines), [
      { fields: { code: 'ID_TOKEN_CALLER_NOT_ALLOWED', enforced: false } },
      { fields: { code: 'ID_TOKEN_MALFORMED', enforced: false } },
      {
        level: 'warn',
        message: /^ID token would be refused: /,
        fields: { code: 'ID_TOKEN_MISSING', method: 'GET', header: null, enforced: false },
      },
    ])
  })

  t.test(`${name}: lists may be missing or empty, and nobody is in them`, async (t) => {
    for (const allowedCallers of [undefined, []]) {
      const log = recordedLog()
      const parts = { options: { ...options, allowedCallers, reportOnly: true }, log }
      const { ask } = await start(t, parts)
      t.match(await ask(fromLogin), LET_IN)
      t.match(refusals(log.lines), [{ fields: { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' } }])
    }
    const { ask } = await start(t, { options, policy: { allowedCallers: [], reportOnly: true } })
    t.match(await ask(fromLogin), LET_IN)
  })

  t.test(`${name}: a route may turn it on and off`, async (t) => {
    const on = await start(t, {
      options: listed,
      policy: { allowedCallers: [login], reportOnly: true },
    })
    t.match(await on.ask(fromSignup), LET_IN)
    t.match(await on.ask(fromLogin), { status: 200, body: `{"caller":"${login}"}` })
    const off = await start(t, {
      options: { ...listed, reportOnly: true },
      policy: { allowedCallers: [login], reportOnly: false },
    })
    t.match(await off.ask(fromSignup), { status: 403 })
    t.match(await off.ask(fromLogin), { status: 200 })
  })

  t.test(`${name}: no request waits for keys, and what they say is logged later`, async (t) => {
    const log = recordedLog()
    const keys = heldKeys()
    const { ask } = await start(t, {
      options: { ...listed, jwks: undefined, fetch: keys.fetch, reportOnly: true },
      log,
      handled: (request) => {
        request.method = 'PATCH'
      },
    })
    t.match(await ask(fromLogin), LET_IN)
    t.match(await ask(fromSignup), LET_IN)
    t.strictSame(refusals(log.lines), [], 'nothing is known yet')
    keys.answer()
    while (refusals(log.lines).length === 0) await new Promise(setImmediate)
    t.match(refusals(log.lines), [
      { fields: { code: 'ID_TOKEN_CALLER_NOT_ALLOWED', method: 'GET' } },
    ])
    t.match(await ask(fromLogin), { status: 200, body: `{"caller":"${login}"}` })
  })

  t.test(`${name}: without keys, too`, async (t) => {
    const log = recordedLog()
    const fetch = () => Promise.reject(new Error('connect ECONNREFUSED'))
    const parts = { options: { ...listed, jwks: undefined, fetch, reportOnly: true }, log }
    const { ask } = await start(t, parts)
    t.match(await ask(fromLogin), LET_IN)
    while (refusals(log.lines).length === 0) await new Promise(setImmediate)
    t.match(refusals(log.lines), [{ fields: { code: 'ID_TOKEN_KEYS_UNAVAILABLE' } }])
  })

  t.test(`${name}: a logger, a meter and a clock that throw refuse nobody`, async (t) => {
    const warned = t.capture(process, 'emitWarning')
    const unhandled: unknown[] = []
    const note = (problem: unknown) => void unhandled.push(problem)
    process.on('unhandledRejection', note)
    t.teardown(() => process.off('unhandledRejection', note))
    const fail = (): never => {
      throw new Error('out of order')
    }
    let broken = false
    const clock = () => (broken ? fail() : new Date())
    const log = recordedLog(({ level }) => {
      if (level === 'warn') fail()
    })
    const keys = heldKeys()
    for (const more of [
      { meter: meterWith(() => ({ add: fail })) },
      { meter: meterWith(fail) },
      { clock },
      { jwks: undefined, fetch: fail },
      { jwks: undefined, fetch: keys.fetch },
      { jwks: undefined, keyStore: { load: fail, save: fail }, fetch: keys.fetch },
    ]) {
      broken = false
      const { ask } = await start(t, { options: { ...listed, ...more, reportOnly: true }, log })
      broken = true
      for (const request of [fromLogin, fromSignup, forged, {}]) {
        t.match(await ask(request), { status: 200 })
      }
      keys.answer()
    }
    await new Promise(setImmediate)
    t.strictSame(unhandled, [])
    const reported = warned().map(({ args: [problem] }) => String(problem))
    t.ok(reported.includes('Error: out of order'), 'the process warns')
  })
}

/** A key endpoint that answers when a test says so. */
function heldKeys(): { readonly fetch: typeof fetch; readonly answer: () => void } {
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  return {
    fetch: () => answered.then(() => Response.json(issuer.jwks)),
    answer,
  }
}

t.test('a hanging key endpoint delays nobody', async (t) => {
  let hanging = 0
  const endpoint = createServer((_request, response) => {
    hanging += 1
    response.on('close', () => {
      hanging -= 1
    })
  })
  const jwksUri = await listenOnLoopback(t, endpoint)
  for (const { name, start } of frameworks) {
    const { ask } = await start(t, {
      options: { ...listed, jwks: undefined, jwksUri, fetchTimeout: 30, reportOnly: true },
    })
    for (let i = 0; i < 20; i += 1) t.match(await ask(fromLogin), LET_IN)
    while (hanging === 0) await new Promise(setImmediate)
    t.equal(hanging, 1, `${name}: the fetch still hangs, and 20 requests have their responses`)
    endpoint.closeAllConnections()
    while (hanging > 0) await new Promise(setImmediate)
  }
})

t.test('an internal error is reported at most once a minute', async (t) => {
  const warned = t.capture(process, 'emitWarning')
  const log = recordedLog()
  let broken = false
  const clock = () => {
    if (broken) throw new RangeError('the clock is broken')
    return new Date()
  }
  const { ask } = await fastify.start(t, { options: { ...listed, clock, reportOnly: true }, log })
  broken = true
  for (let i = 0; i < 5; i += 1) t.match(await ask(fromLogin), LET_IN)
  const reported = log
    .warned()
    .filter(({ message }) => message.includes('failed; the request was let in'))
  t.match(reported, [{ level: 'warn', fields: { err: RangeError } }])
  t.equal(reported.length, 1)
  t.equal(warned().length, 1)
})

t.test('something else than an error that is thrown is reported as well', async (t) => {
  const warned = t.capture(process, 'emitWarning')
  let broken = false
  const clock = () => {
    if (broken) throw 'out of order' as unknown as Error
    return new Date()
  }
  const { ask } = await fastify.start(t, { options: { ...listed, clock, reportOnly: true } })
  broken = true
  t.match(await ask(fromLogin), LET_IN)
  t.match(warned(), [{ args: ['a value that is not an Error was thrown'] }])
})

t.test('the plugin names at start where nobody is refused, and lists it', async (t) => {
  const startedWith = async (plugin: object, routes: Record<string, false | object>) => {
    const log = recordedLog()
    const app = Fastify({ loggerInstance: log.logger })
    t.teardown(() => app.close())
    app.register(guardFastify, { ...listed, ...plugin })
    for (const [url, idToken] of Object.entries(routes)) {
      app.get(url, { config: { idToken } }, () => ({}))
    }
    await app.ready()
    return { reported: log.warned().map(({ message }) => message), rows: app.listAllowedCallers() }
  }
  const some = await startedWith({}, { '/a': { reportOnly: true }, '/b': {} })
  t.strictSame(some.reported, [
    'reportOnly is on for GET /a: requests are verified and logged, and all of them are let in',
  ])
  t.match(some.rows, [{ url: '/a', access: 'callers', reportOnly: true }, { url: '/b' }])
  t.notOk('reportOnly' in (some.rows[1] ?? {}))
  const most = await startedWith({ reportOnly: true }, { '/a': {}, '/b': { reportOnly: false } })
  t.match(most.reported, [/^reportOnly is on for every guarded route, except GET \/b: /])
  const open = await startedWith({ reportOnly: true }, { '/a': {}, '/health': false })
  t.match(open.reported, [/^reportOnly is on for every guarded route: /], 'an open one is not')
  const all = await startedWith({ reportOnly: true, allowedCallers: [] }, { '/a': {} })
  t.match(all.reported, [/^reportOnly is on for every guarded route: /])
  t.match(all.rows, [{ url: '/a', reportOnly: true, allowedCallers: [] }])
  t.strictSame((await startedWith({}, { '/a': {} })).reported, [])
})

t.test('Express warns of each guard that refuses nobody', (t) => {
  const log = recordedLog()
  const auth = googleIdToken({ ...listed, logger: log.logger })
  auth.allow([login], { reportOnly: true })
  auth.optional({ reportOnly: true })
  auth.optional([], { reportOnly: true })
  auth.allow([login], { reportOnly: false })
  t.match(log.warned(), [
    { message: /^reportOnly is on in auth\.allow: / },
    { message: /^reportOnly is on in auth\.optional: / },
    { message: /^reportOnly is on in auth\.optional: / },
  ])
  const quiet = googleIdToken({ ...listed, logger: log.logger, reportOnly: true })
  quiet.allow([signup])
  t.match(
    log.warned().slice(3),
    [{ message: /^reportOnly is on in googleIdToken: / }],
    'once for the whole app',
  )
  t.equal(log.warned().length, 4)
  t.end()
})

t.test('where it is off, a list is needed as ever', async (t: Test) => {
  t.throws(() => googleIdToken({ ...options, allowedCallers: [], reportOnly: false }), {
    message: /^Option allowedCallers is \[\]/,
  })
  t.throws(() => googleIdToken({ ...listed, reportOnly: 'yes' as never }), {
    message: "Option reportOnly is 'yes'; accepted: true or false",
  })
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(guardFastify, { ...options, allowedCallers: [], reportOnly: true })
  app.get('/a', { config: { idToken: { reportOnly: false } } }, () => ({}))
  await t.rejects(async () => app.ready(), {
    message: /^Option GET \/a config\.idToken\.allowedCallers is missing/,
  })
})

t.test('the methods of the verifier refuse as ever', async (t) => {
  const auth = googleIdToken({ ...listed, reportOnly: true, logger: recordedLog().logger })
  await t.rejects(auth.verifier.verify(await issuer.idToken({ email: signup, audience })), {
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
  })
  const policy = { reportOnly: true } as object
  await t.rejects(auth.verifier.verify('x', policy), { message: /^Option policy\.reportOnly/ })
})
