import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import express4 from 'express4'
import pino from 'pino'
import t, { type Test } from 'tap'
import { googleIdToken } from '../../../src/express.ts'
import { IdTokenError } from '../../../src/index.ts'
import { capturedLog, holdsPartOf, LEVEL } from '../../helpers/captured-log.ts'
import { rawRequest, type RawRequest } from '../../helpers/raw-request.ts'
import { audience as AUDIENCE, login as LOGIN, signup as SIGNUP } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const withoutList = {
  audience: AUDIENCE,
  jwks: issuer.jwks,
  logger: { warn: () => undefined },
}
const options = { ...withoutList, allowedCallers: [LOGIN] }
const bearer = async (email: string, audience = AUDIENCE) =>
  `Bearer ${await issuer.idToken({ email, audience })}`
const login = await bearer(LOGIN)
const signup = await bearer(SIGNUP)

const answer: express.RequestHandler = (request, response) => {
  response.json({ caller: request.caller?.email ?? request.caller })
}

type Ask = (
  path: string,
  authorization?: string,
) => Promise<{ status: number; headers: Readonly<Record<string, string>>; body: string }>

async function listening(t: Test, app: Express): Promise<number> {
  // Without a word on the console about errors, which is what Express does in a test.
  app.set('env', 'test')
  const server = createServer(app as RequestListener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function asking(t: Test, app: Express): Promise<Ask> {
  const port = await listening(t, app)
  return (path, authorization) =>
    rawRequest(port, {
      path,
      headers: authorization === undefined ? [] : [['authorization', authorization]],
    })
}

for (const [version, makeApp] of [
  ['Express 4', express4],
  ['Express 5', express],
] as const) {
  t.test(version, (t) => {
    t.test('app.use(auth) guards what comes after it, with the default list', async (t) => {
      const app = makeApp()
      app.get('/before', answer)
      app.use(googleIdToken(options))
      app.get('/', answer)
      const ask = await asking(t, app)
      t.match(await ask('/before'), { status: 200, body: '{}' })
      t.match(await ask('/', login), { status: 200, body: `{"caller":"${LOGIN}"}` })
      t.match(await ask('/', signup), { status: 403 })
      t.match(await ask('/'), { status: 401 })
      t.match(await ask('/nowhere'), { status: 401 })
      t.match(await ask('/nowhere', login), { status: 404 })
    })

    t.test('allow and optional guard one route', async (t) => {
      const auth = googleIdToken(options)
      const app = makeApp()
      app.get('/allow', auth.allow([SIGNUP]), answer)
      app.get('/audience', auth.allow([SIGNUP], { audience: 'profiles' }), answer)
      app.get('/optional', auth.optional(), answer)
      app.get('/optional-list', auth.optional([SIGNUP]), answer)
      app.get('/optional-policy', auth.optional({ allowedCallers: [SIGNUP] }), answer)
      app.get('/optional-audience', auth.optional([SIGNUP], { audience: 'profiles' }), answer)
      app.get('/open', answer)
      const ask = await asking(t, app)

      t.match(await ask('/allow', signup), { status: 200, body: `{"caller":"${SIGNUP}"}` })
      t.match(await ask('/allow', login), { status: 403 }, 'it replaces the default list')
      t.match(await ask('/audience', signup), { status: 401 }, 'and the default audience')
      t.match(await ask('/audience', await bearer(SIGNUP, 'profiles')), { status: 200 })

      t.match(await ask('/optional'), { status: 200, body: '{"caller":null}' })
      t.match(await ask('/optional', login), { status: 200, body: `{"caller":"${LOGIN}"}` })
      t.match(await ask('/optional', signup), { status: 403 })
      t.match(await ask('/optional', `${login}x`), { status: 401 })
      t.match(await ask('/optional', 'Basic bG9naW46c2VjcmV0'), { status: 401 })
      for (const path of ['/optional-list', '/optional-policy']) {
        t.match(await ask(path), { status: 200, body: '{"caller":null}' })
        t.match(await ask(path, signup), { status: 200 })
        t.match(await ask(path, login), { status: 403 })
      }
      t.match(await ask('/optional-audience', signup), { status: 401 })
      t.match(await ask('/optional-audience', await bearer(SIGNUP, 'profiles')), { status: 200 })
      t.match(await ask('/open', 'garbage'), { status: 200 })
    })

    t.test('without a default list, auth lets nobody in and says so', async (t) => {
      const auth = googleIdToken(withoutList)
      const app = makeApp()
      app.get('/own', auth.allow([LOGIN]), answer)
      app.use(auth)
      app.get('/', () => {
        t.fail('nobody gets here')
      })
      const errors: unknown[] = []
      const noteError: ErrorRequestHandler = (error, _request, _response, next) => {
        errors.push(error)
        next(error)
      }
      app.use(noteError)
      const ask = await asking(t, app)
      for (const header of [undefined, login, signup, 'garbage']) {
        t.match(await ask('/', header), { status: 500 })
      }
      t.match(errors, Array(4).fill({ message: /^Option allowedCallers is missing; / }))
      t.match(await ask('/own', login), { status: 200 })
      t.throws(() => auth.optional(), { message: /^Option optional\.allowedCallers is missing; / })
    })

    t.test('app.use(auth()) instead of app.use(auth) throws while the app is created', (t) => {
      for (const auth of [googleIdToken(options), googleIdToken(withoutList)]) {
        const called = auth as unknown as (argument?: unknown) => never
        for (const use of [
          () => makeApp().use(called()),
          () => makeApp().use(called([SIGNUP])),
          () => makeApp().use((auth.allow([SIGNUP]) as unknown as () => never)()),
        ]) {
          t.throws(use, {
            name: 'TypeError',
            code: 'ID_TOKEN_OPTION_INVALID',
            message: /write app\.use\(auth\), not app\.use\(auth\(\)\)/,
          })
        }
      }
      t.end()
    })

    t.test('a maker of guards that is used as a guard lets nobody in and says so', async (t) => {
      for (const name of ['allow', 'optional'] as const) {
        const log = capturedLog()
        const auth = googleIdToken({ ...options, logger: pino(log.stream) })
        const errors: unknown[] = []
        const app = makeApp()
        app.use('/use', auth[name] as unknown as express.RequestHandler)
        app.get('/get', auth[name] as unknown as express.RequestHandler)
        app.use(['/use', '/get'], () => {
          t.fail('nobody gets here')
        })
        const noteError: ErrorRequestHandler = (error, _request, _response, next) => {
          errors.push(error)
          next(error)
        }
        app.use(noteError)
        const ask = await asking(t, app)
        for (const path of ['/use', '/get']) {
          for (const header of [undefined, login, signup]) {
            t.match(await ask(path, header), { status: 500 })
          }
        }
        const message = `auth.${name} is not a middleware but makes one: call it, as in app.use(auth.${name}([...]))`
        t.match(errors, Array(6).fill({ code: 'ID_TOKEN_OPTION_INVALID', message }))
        t.match(log.lines(), Array(6).fill({ level: LEVEL.warn, msg: message }))
        for (const token of [login, signup]) t.notOk(holdsPartOf(token, log.text()))
      }
    })

    t.test('refusals go to next, with status and challenge', async (t) => {
      const errors: unknown[] = []
      const app = makeApp()
      app.use(googleIdToken(options))
      const noteError: ErrorRequestHandler = (error, _request, response, next) => {
        errors.push(error)
        // The challenge is there for an error handler of the app's own.
        response.setHeader('x-challenge', String(response.getHeader('www-authenticate')))
        next(error)
      }
      app.use(noteError)
      const port = await listening(t, app)
      for (const [headers, status, code, challenge] of [
        [[], 401, 'ID_TOKEN_MISSING', /^Bearer realm="[a-z-]+"$/],
        [
          [['Authorization', `${login}x`]],
          401,
          'ID_TOKEN_MALFORMED',
          /^Bearer realm="[a-z-]+", error="invalid_t/,
        ],
        [[['Authorization', signup]], 403, 'ID_TOKEN_CALLER_NOT_ALLOWED', /"insufficient_scope"/],
        [
          [
            ['X-Serverless-Authorization', login],
            ['x-serverless-AUTHORIZATION', login],
          ],
          400,
          'ID_TOKEN_REQUEST_MALFORMED',
          /"invalid_request"/,
        ],
      ] satisfies [RawRequest['headers'], number, string, RegExp][]) {
        const response = await rawRequest(port, { headers })
        const error = errors.pop()
        t.ok(error instanceof IdTokenError)
        t.match(error, { statusCode: status, code })
        t.equal(response.status, status)
        t.match(response.headers['www-authenticate'], challenge)
        t.match(response.headers['x-challenge'], challenge)
        for (const secret of [AUDIENCE, LOGIN, SIGNUP, ...headers.map(([, value]) => value)]) {
          t.notOk(holdsPartOf(secret, response.body), `${code}: the error page holds no secret`)
        }
      }
    })

    t.test('keys are fetched, and without them the answer is 503', async (t) => {
      const askWith = (fetchKeys: () => Promise<Response>) => {
        const { audience, allowedCallers, logger } = options
        const auth = googleIdToken({ audience, allowedCallers, logger, fetch: fetchKeys })
        t.after(() => {
          auth.verifier.close()
        })
        return asking(t, makeApp().use(auth).get('/', answer))
      }
      const ask = await askWith(() => Promise.resolve(Response.json(issuer.jwks)))
      t.match(await ask('/', login), { status: 200 })

      const askInVain = await askWith(() => Promise.reject(new Error('connect ECONNREFUSED')))
      const response = await askInVain('/', login)
      t.equal(response.status, 503)
      t.match(response.headers['retry-after'], /^[1-9][0-9]*$/)
      t.equal(response.headers['www-authenticate'], undefined)
    })

    t.test('refusals are logged through req.log, or else the logger option', async (t) => {
      const ofApp = capturedLog()
      const ofRequest = capturedLog()
      const logger = pino({ level: 'trace' }, ofApp.stream)
      const app = makeApp()
      app.use('/with-log', (request, _response, next) => {
        Object.assign(request, { log: pino({ level: 'trace' }, ofRequest.stream) })
        next()
      })
      app.use(googleIdToken({ ...options, logger }))
      const ask = await asking(t, app)
      await ask('/with-log', signup)
      await ask('/', `${login}x`)
      t.match(ofRequest.lines(), [
        {
          level: 40,
          code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
          detail: { expected: [LOGIN], found: SIGNUP },
          msg: /^ID token refused: /,
        },
      ])
      t.match(ofApp.lines(), [{ level: 40, code: 'ID_TOKEN_MALFORMED' }])
      for (const token of [login, signup]) {
        t.notOk(holdsPartOf(token, ofApp.text() + ofRequest.text()))
      }
    })
    t.test('a guard of a route logs the route, one of the app the path', async (t) => {
      const log = capturedLog()
      const auth = googleIdToken({ ...options, logger: pino(log.stream) })
      const app = makeApp()
      app.get('/guarded/:id', auth)
      app.use('/app', auth)
      const ask = await asking(t, app)
      await ask('/guarded/42', `${login}x`)
      await ask('/app/42', `${login}x`)
      t.match(log.lines(), [{ route: '/guarded/:id' }, { route: '/app/42' }])
    })
    t.end()
  })
}

t.test('without any logger a refusal is not logged', async (t) => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const ask = await asking(t, express().use(googleIdToken({ ...options, logger: undefined })))
  t.match(await ask('/'), { status: 401 })
  process.off('warning', note)
  t.strictSame(warnings, [])
})

t.test('a wrong list or option fails at once', (t) => {
  const auth = googleIdToken(options)
  const allow = auth.allow as (...args: unknown[]) => unknown
  const optional = auth.optional as (...args: unknown[]) => unknown
  for (const [wrong, message] of [
    [() => allow(), /^Option allow\.allowedCallers is null; accepted: a non-empty list/],
    [() => allow(undefined), /^Option allow\.allowedCallers is null/],
    [() => allow([]), /^Option allow\.allowedCallers is \[\]/],
    [() => allow(LOGIN), /^Option allow\.allowedCallers is 'login@/],
    [() => allow(['*']), /^Option allow\.allowedCallers\[0\] is '\*'/],
    [
      () => allow([LOGIN], { audiences: 'x' }),
      /^Option allow\.audiences is 'x'; accepted: only the names audience, reportOnly\. Did you mean audience\?$/,
    ],
    [
      () => allow([LOGIN], { optional: true }),
      /^Option allow\.optional is true; accepted: only the names audience, reportOnly$/,
    ],
    [() => allow([LOGIN], 'x'), /^Option allow is 'x'; accepted: an object with audience/],
    [() => allow([LOGIN], null), /^Option allow is null; accepted: an object with audience/],
    [() => optional([]), /^Option optional\.allowedCallers is \[\]/],
    [() => optional([LOGIN], { optional: true }), /^Option optional\.optional is true; .*only the/],
    [() => optional({ optional: false }), /^Option optional\.optional is false; .*only the names/],
    [
      () => optional({}, { audience: 'x' }),
      /^Option optional\.allowedCallers is \{\}; .*a non-empty/,
    ],
    [() => optional(null), /^Option optional is null/],
    [() => optional(LOGIN), /^Option optional is 'login@/],
    [
      () => optional({ allowedCaller: [LOGIN] }),
      /^Option optional\.allowedCaller is .* only the names/,
    ],
    [() => googleIdToken({} as typeof options), /^Option audience is missing/],
  ] as const) {
    t.throws(wrong, { code: 'ID_TOKEN_OPTION_INVALID', message })
  }
  t.end()
})
