import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import Fastify from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { googleIdToken, redactPaths } from '../../src/express.ts'
import fastifyGoogleIdToken, { createVerifier, IdTokenError } from '../../src/index.ts'
import { type TestIdToken } from '../../src/testing.ts'
import { capturedLog, type LogLine } from '../helpers/captured-log.ts'
import { setEnvironment } from '../helpers/environment.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }

const bearerOf = async (token: Partial<TestIdToken>): Promise<string> =>
  `Bearer ${await issuer.idToken({ email: login, audience, ...token })}`

/** What a verifier's refusal tells a log. */
async function detailOf(authorization: string, more: object = {}): Promise<IdTokenError['detail']> {
  const verifier = createVerifier({ ...options, ...more, logger: { warn: () => undefined } })
  try {
    await verifier.authenticate({ headers: { authorization } })
  } catch (error) {
    if (error instanceof IdTokenError) return error.detail
    throw error
  }
  throw new Error('was accepted')
}

/** What an Express app logs of one request. */
async function linesOf(t: Test, path: string, authorization: string): Promise<LogLine[]> {
  const log = capturedLog()
  const app = express()
  app.use(googleIdToken({ ...options, logger: pino(log.stream) }))
  const answer: ErrorRequestHandler = (error: IdTokenError, _request, response, next) => {
    if (response.headersSent) next(error)
    else response.status(error.statusCode).end()
  }
  app.use(answer)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await rawRequest(port, { path, headers: [['Authorization', authorization]] })
  return log.lines()
}

t.test(
  'a path is logged without query, fragment and parameters, and not at any length',
  async (t) => {
    const secret = 'access_token=ya29.secret'
    for (const [path, logged] of [
      [`/profiles/42?${secret}`, '/profiles/42'],
      [`/profiles/42;${secret}`, '/profiles/42'],
      [`/profiles/42#${secret}`, '/profiles/42'],
      [`/profiles;${secret}/42?${secret}`, '/profiles'],
      [`/${'x'.repeat(10_000)}`, `/${'x'.repeat(255)}… (10001 characters)`],
    ] as const) {
      t.match(await linesOf(t, path, 'Bearer garbage'), [{ route: logged }])
    }
  },
)

const LONG = 'x'.repeat(5_000)
const SHOWN = 'x'.repeat(256)

t.test('what a caller chose is shown on one line of limited length', async (t) => {
  const rows: [what: string, token: Partial<TestIdToken>, expected: object][] = [
    ['an audience', { audience: LONG }, { found: `${SHOWN}… (5000 characters)` }],
    ['a caller', { email: LONG, audience: 'other' }, { caller: `${SHOWN}… (5000 characters)` }],
    [
      'a refused caller',
      { email: 'x'.repeat(2_000), subject: '1'.repeat(900), claims: { azp: undefined } },
      { found: new RegExp(`^${SHOWN}…`) },
    ],
    ['a key id', { header: { kid: LONG } }, { found: `${SHOWN}… (5000 characters)` }],
    ['an algorithm', { header: { alg: LONG } }, { found: `${SHOWN}… (5000 characters)` }],
    ['newlines', { audience: 'a\r\n{"level":60}' }, { found: 'a\\u{d}\\u{a}{"level":60}' }],
    [
      'line separators',
      { audience: 'a\u2028b\u2029c\u0085d' },
      { found: 'a\\u{2028}b\\u{2029}c\\u{85}d' },
    ],
    ['an escape sequence', { audience: '\u001b[2Jgone' }, { found: '\\u{1b}[2Jgone' }],
    ['direction marks', { email: 'a\u202eb', audience: 'x' }, { caller: 'a\\u{202e}b' }],
    ['half a character', { audience: 'a\ud800' }, { found: 'a\\u{fffd}' }],
  ]
  for (const [what, token, expected] of rows) {
    const detail = await detailOf(await bearerOf(token))
    if (what === 'half a character') t.notMatch(String(detail.found), /\p{Cs}/u, what)
    else t.match(detail, expected, what)
    t.ok(JSON.stringify(detail).length < 1_500, `${what}: ${JSON.stringify(detail).length}`)
  }
})

t.test('a value that is no text is shown as its type', async (t) => {
  t.match(await detailOf(await bearerOf({ header: { alg: { a: 1 } } })), { found: 'object' })
  t.match(await detailOf(await bearerOf({ header: { alg: 5 } })), { found: 5 })
})

t.test('a caller whose signature is not verified is not named as the caller', async (t) => {
  setEnvironment(t, { K_SERVICE: 'user-profiles' })
  const trusting = { trustRemovedSignature: true }
  const stripped = async (token: Partial<TestIdToken>): Promise<string> =>
    (await bearerOf(token)).replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE')
  const elsewhere = await detailOf(await stripped({ audience: 'other' }), trusting)
  t.equal(elsewhere.caller, undefined)
  t.equal((await detailOf(await bearerOf({ audience: 'other' }), trusting)).caller, login)
  t.match(await detailOf(await stripped({ email: 'x@y.example' }), trusting), {
    found: /^by a token without its signature: x@y\.example \(unique id [0-9]+\)$/,
  })
  t.match(await detailOf(await bearerOf({ email: 'x@y.example' }), trusting), {
    found: /^x@y\.example \(unique id [0-9]+\)$/,
  })
})

t.test('redactPaths keeps the tokens of both headers out of logged headers', async (t) => {
  const log = capturedLog()
  const serverless = await bearerOf({})
  const authorization = await bearerOf({ expiresIn: 60 })
  const headers = { authorization, 'x-serverless-authorization': serverless, accept: '*/*' }
  const app = Fastify({
    logger: {
      stream: log.stream,
      redact: redactPaths,
      serializers: { req: (request) => ({ headers: request.headers }) },
    },
  })
  t.teardown(() => app.close())
  await app.register(fastifyGoogleIdToken, options)
  app.get('/', (request) => {
    request.log.info({ headers: request.headers }, 'headers')
    return 'ok'
  })
  t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  t.match(log.lines(), [
    { req: { headers: { accept: '*/*', authorization: '[Redacted]' } } },
    { headers: { accept: '*/*', 'x-serverless-authorization': '[Redacted]' } },
  ])
  for (const token of [authorization, serverless]) t.notOk(log.text().includes(token.slice(7)))
})

t.test('the lines that one refusal gives in the log of a Fastify app', async (t) => {
  const messagesOf = async (ownHandler: boolean): Promise<unknown[]> => {
    const log = capturedLog()
    const app = Fastify({ logger: { stream: log.stream } })
    if (ownHandler) {
      app.setErrorHandler((error: IdTokenError, _request, reply) =>
        reply.code(error.statusCode).send({ code: error.code }),
      )
    }
    await app.register(fastifyGoogleIdToken, options)
    app.get('/', () => '')
    await app.inject('/')
    await app.close()
    return log.lines().map(({ level, err, msg }) => [level, err !== undefined, msg])
  }
  const [incoming, refused, ofFastify, completed] = await messagesOf(false)
  t.match(
    [incoming, refused, ofFastify, completed],
    [
      [30, false, 'incoming request'],
      [40, false, /^ID token refused: /],
      [30, true, String],
      [30, false, 'request completed'],
    ],
  )
  t.match(await messagesOf(true), [incoming, refused, completed])
  t.equal((await messagesOf(true)).length, 3)
})
