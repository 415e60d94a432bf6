import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import t from 'tap'
import googleIdToken, { IdTokenError } from '../../../src/index.ts'
import { capturedLog, holdsPartOf, LEVEL, type CapturedLog } from '../../helpers/captured-log.ts'
import { audience as AUDIENCE, login as LOGIN, signup as SIGNUP } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const SECRETS = [AUDIENCE, LOGIN, '0123456789012345678901']

const options = {
  audience: AUDIENCE,
  allowedCallers: [LOGIN, '0123456789012345678901'],
  jwks: issuer.jwks,
}
const token = (email: string, more: object = {}) =>
  issuer.idToken({ email, audience: AUDIENCE, ...more })
const good = await token(LOGIN)
const stripped = good.replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE')

interface Refusal {
  headers: Record<string, string>
  status: number
  code: string
  challenge: RegExp
}

const CHALLENGE = {
  none: /^Bearer realm="fastify-google-id-token"$/,
  request:
    /^Bearer realm="fastify-google-id-token", error="invalid_request", error_description="[^"]+"$/,
  token:
    /^Bearer realm="fastify-google-id-token", error="invalid_token", error_description="[^"]+"$/,
  scope:
    /^Bearer realm="fastify-google-id-token", error="insufficient_scope", error_description="[^"]+"$/,
}

const refusals: Refusal[] = [
  { headers: {}, status: 401, code: 'ID_TOKEN_MISSING', challenge: CHALLENGE.none },
  ...[good, `Basic ${btoa(`login:${good}`)}`, `${good} Bearer`].map((authorization) => ({
    // A token without its scheme must not be logged as if it were one.
    headers: { authorization },
    status: 401,
    code: 'ID_TOKEN_SCHEME_UNSUPPORTED',
    challenge: CHALLENGE.none,
  })),
  {
    headers: { authorization: `Bearer ${good} ${good}` },
    status: 400,
    code: 'ID_TOKEN_REQUEST_MALFORMED',
    challenge: CHALLENGE.request,
  },
  ...(
    [
      [`${good}.x`, 'ID_TOKEN_MALFORMED'],
      [good.slice(0, -42), 'ID_TOKEN_SIGNATURE_INVALID'],
      [stripped, 'ID_TOKEN_SIGNATURE_REMOVED'],
      [await token(LOGIN, { header: { alg: 'HS256' } }), 'ID_TOKEN_ALGORITHM_NOT_ALLOWED'],
      [await token(LOGIN, { header: { kid: 'other' } }), 'ID_TOKEN_KEY_UNKNOWN'],
      [await token(LOGIN, { claims: { iss: 'other' } }), 'ID_TOKEN_ISSUER_MISMATCH'],
      [await token(LOGIN, { audience: 'other' }), 'ID_TOKEN_AUDIENCE_MISMATCH'],
      [await token(LOGIN, { expiresIn: -100 }), 'ID_TOKEN_EXPIRED'],
    ] as const
  ).map(([bad, code]) => ({
    headers: { 'x-serverless-authorization': `bearer ${bad}` },
    status: 401,
    code,
    challenge: CHALLENGE.token,
  })),
  {
    headers: { authorization: `Bearer ${await token(SIGNUP)}` },
    status: 403,
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
    challenge: CHALLENGE.scope,
  },
]

function appLoggingTo(log: CapturedLog): FastifyInstance {
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  app.register(googleIdToken, options)
  app.get('/', () => ({}))
  app.get('/optional', { config: { idToken: { optional: true } } }, () => ({}))
  return app
}

/** What was sent, without the marker: its words stand in a code, too. */
function credentials({ headers }: Refusal): string[] {
  return Object.values(headers).map((value) => value.replace('SIGNATURE_REMOVED_BY_GOOGLE', ''))
}

t.test('a refusal tells the caller little and the log enough', async (t) => {
  const log = capturedLog()
  const app = appLoggingTo(log)
  t.after(() => app.close())
  await app.ready()
  for (const refusal of refusals) {
    const { headers, status, code, challenge } = refusal
    const before = log.lines().length
    const response = await app.inject({ url: '/', headers })
    const body = response.json<Record<string, unknown>>()

    t.equal(response.statusCode, status, code)
    t.match(response.headers['www-authenticate'], challenge, `${code}: challenge`)
    t.not(response.headers.connection, 'close', `${code}: the connection is kept`)
    t.strictSame(Object.keys(body).sort(), ['code', 'error', 'message', 'statusCode'])
    t.match(body, { statusCode: status, code })
    const shown = response.body + JSON.stringify(response.headers)
    for (const secret of [...SECRETS, ...credentials(refusal)]) {
      t.notOk(
        holdsPartOf(secret, shown),
        `${code}: neither a secret nor what was sent is in the response`,
      )
    }

    const warnings = log
      .lines()
      .slice(before)
      .filter(({ level }) => level === LEVEL.warn)
    t.equal(warnings.length, 1, `${code}: logged once`)
    t.match(warnings, [
      { code, reqId: String, detail: { remedy: String }, msg: /^ID token refused: / },
    ])
  }
  for (const value of [...refusals.flatMap(credentials), ...good.split('.')]) {
    t.notOk(holdsPartOf(value, log.text()), 'no part of a credential is in the log, at any level')
  }
  t.equal(log.lines().filter(({ level }) => level === LEVEL.error).length, 0)
})

t.test('the log says what was expected and what was found', async (t) => {
  const log = capturedLog()
  const app = appLoggingTo(log)
  t.after(() => app.close())
  const warnings = async (bad: string) => {
    await app.inject({ url: '/optional', headers: { authorization: `Bearer ${bad}` } })
    return log
      .lines()
      .filter(({ level }) => level === LEVEL.warn)
      .slice(-1)
  }
  t.match(await warnings(await token(SIGNUP)), [
    { detail: { expected: options.allowedCallers, found: SIGNUP } },
  ])
  t.match(await warnings(await token(LOGIN, { audience: 'other' })), [
    { detail: { expected: [AUDIENCE], found: 'other' } },
  ])
})

t.test('the logger option does not replace the request log', async (t) => {
  const warned: string[] = []
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, {
    ...options,
    logger: { warn: (_finding, message) => warned.push(message) },
  })
  app.get('/', () => ({}))
  t.equal((await app.inject('/')).statusCode, 401)
  t.strictSame(warned, [], 'a refusal belongs to its request')
})

t.test("an error handler of the app's own has the error, and the challenge stays", async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, options)
  app.get('/', () => ({}))
  let seen: unknown
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    seen = error
    return reply.code(error.statusCode ?? 500).send({ sorry: error.code })
  })
  for (const url of ['/', '/nowhere']) {
    const response = await app.inject(url)
    t.equal(response.statusCode, 401)
    t.strictSame(response.json(), { sorry: 'ID_TOKEN_MISSING' })
    t.equal(response.headers['www-authenticate'], 'Bearer realm="fastify-google-id-token"')
    t.ok(seen instanceof IdTokenError)
  }
})

t.test('keys come from jwksUri, and without them the answer is 503', async (t) => {
  let status = 200
  const jwks = createServer((_request, response) => {
    response.statusCode = status
    response.setHeader('cache-control', 'max-age=3600')
    response.end(JSON.stringify(issuer.jwks))
  })
  await once(jwks.listen(0, '127.0.0.1'), 'listening')
  const jwksUri = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/certs`
  t.after(() => jwks.close())
  const start = (log = capturedLog()) => {
    const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
    app.register(googleIdToken, { audience: AUDIENCE, allowedCallers: [LOGIN], jwksUri })
    app.get('/', (request) => ({ caller: request.caller.email }))
    t.after(() => app.close())
    return app
  }
  const headers = { authorization: `Bearer ${good}` }

  const app = start()
  for (let times = 1; times <= 2; times += 1) {
    const response = await app.inject({ url: '/', headers })
    t.strictSame(response.json(), { caller: LOGIN })
  }

  const unavailable = async () => {
    const log = capturedLog()
    const response = await start(log).inject({ url: '/', headers })
    t.equal(response.statusCode, 503)
    t.match(response.json(), { statusCode: 503, code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.match(response.headers['retry-after'], /^[1-9][0-9]*$/)
    t.equal(response.headers['www-authenticate'], undefined, 'nothing the caller sends would help')
    t.notOk(holdsPartOf(good, log.text()))
    t.equal(log.lines().filter(({ code }) => code === 'ID_TOKEN_KEYS_UNAVAILABLE').length, 1)
  }
  status = 500
  await unavailable()
  const missing = await start().inject({ url: '/' })
  t.equal(missing.statusCode, 401, 'no token needs no keys')
  jwks.closeAllConnections()
  jwks.close()
  await once(jwks, 'close')
  await unavailable()
  t.equal((await app.inject({ url: '/', headers })).statusCode, 200, 'the current keys still count')
})

t.test('a clock that throws lets nobody in', async (t) => {
  let broken = false
  const log = capturedLog()
  const app = Fastify({ logger: { stream: log.stream } })
  t.after(() => app.close())
  app.register(googleIdToken, {
    ...options,
    clock: () => {
      if (broken) throw new Error('the clock is broken')
      return new Date()
    },
  })
  app.get('/', () => ({}))
  const headers = { authorization: `Bearer ${good}` }
  t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  broken = true
  t.equal((await app.inject({ url: '/', headers })).statusCode, 500)
  t.match(log.lines().slice(-2), [{ level: LEVEL.error, msg: 'the clock is broken' }])
})

t.test("prefetch: 'required' starts with keys or not at all", async (t) => {
  const start = (answer: () => Response, prefetch: unknown = 'required') => {
    const app = Fastify()
    t.after(() => app.close())
    app.register(googleIdToken, {
      audience: AUDIENCE,
      allowedCallers: [LOGIN],
      fetch: () => Promise.resolve(answer()),
      prefetch: prefetch as true,
    })
    return app
  }
  const started = start(() => Response.json(issuer.jwks))
  await started.ready()
  t.equal(started.idTokenVerifier.stats().keys.keys, 1)

  await t.rejects(async () => start(() => new Response(null, { status: 500 })).ready(), {
    message: /^prefetch is 'required', and no keys could be fetched: .*500/,
    cause: { code: 'ID_TOKEN_KEYS_UNAVAILABLE' },
  })
  await t.rejects(async () => start(() => Response.json(issuer.jwks), false).ready(), {
    message: /^Option prefetch is false; accepted: true or 'required'$/,
  })
})

t.test('what breaks while keys are fetched is an error of the request, which waits', async (t) => {
  let isBroken = false
  let answer: (response: Response) => void = () => undefined
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(googleIdToken, {
    audience: AUDIENCE,
    allowedCallers: [LOGIN],
    fetch: () => new Promise((resolve) => (answer = resolve)),
    clock: () => {
      if (isBroken) throw new Error('the clock is broken')
      return new Date()
    },
    logger: { warn: () => undefined },
  })
  app.get('/', () => 'ok')
  await app.ready()
  const response = app.inject({ url: '/', headers: { authorization: `Bearer ${good}` } })
  await new Promise(setImmediate)
  isBroken = true
  answer(Response.json(issuer.jwks))
  t.match(await response, { statusCode: 500 })
  isBroken = false
})
