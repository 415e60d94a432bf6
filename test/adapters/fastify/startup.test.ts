import { EventEmitter, once } from 'node:events'
import Fastify, { type FastifyContextConfig } from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken, { type VerifierOptions } from '../../../src/index.ts'
import { capturedLog, LEVEL } from '../../helpers/captured-log.ts'
import { startService } from '../../helpers/recording-service.ts'
import { runProcess } from '../../helpers/run-process.ts'
import { until } from '../../helpers/waiting.ts'
import { audience as AUDIENCE, login as LOGIN, signup as SIGNUP } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const withoutList = { audience: AUDIENCE, jwks: issuer.jwks }
const options = { ...withoutList, allowedCallers: [LOGIN] }
const handler = () => ({})

t.test('a route that nobody may call stops the start-up, by method and url', async (t) => {
  const sameTick = Fastify()
  sameTick.register(googleIdToken, withoutList)
  sameTick.get('/profiles/:id', handler)
  await t.rejects(async () => sameTick.ready(), {
    code: 'ID_TOKEN_OPTION_INVALID',
    message: /GET \/profiles\/:id config\.idToken\.allowedCallers is missing/,
  })

  const before = Fastify()
  before.delete('/before', handler)
  await before.register(googleIdToken, withoutList)
  await t.rejects(async () => before.ready(), {
    message: /DELETE \/before config\.idToken\.allowedCallers/,
  })

  const after = Fastify()
  await after.register(googleIdToken, withoutList)
  after.route({ method: ['PUT', 'POST'], url: '/after', handler })
  await t.rejects(async () => after.ready(), {
    message: /PUT,POST \/after config\.idToken\.allowedCallers/,
  })

  const nested = Fastify()
  nested.register(googleIdToken, withoutList)
  nested.register(
    (scope, _options, done) => {
      scope.get('/', { config: { idToken: { optional: true } } }, handler)
      done()
    },
    { prefix: '/scope' },
  )
  await t.rejects(async () => nested.listen({ port: 0, host: '127.0.0.1' }), {
    message: /GET \/scope\/? config\.idToken\.allowedCallers/,
  })

  const covered = Fastify()
  covered.register(googleIdToken, withoutList)
  covered.get('/own', { config: { idToken: { allowedCallers: [LOGIN] } } }, handler)
  covered.get('/open', { config: { idToken: false } }, handler)
  await covered.ready()
  t.strictSame(
    covered.listAllowedCallers().map(({ access }) => access),
    ['callers', 'open'],
  )
  await covered.close()
})

t.test('an invalid config.idToken stops the start-up', async (t) => {
  for (const [idToken, message] of [
    [{ allowedCaller: [SIGNUP] }, /GET \/x config\.idToken\.allowedCaller is .* only the names/],
    [{ Optional: true }, /GET \/x config\.idToken\.Optional is true; .* only the names/],
    [{ optional: 'yes' }, /GET \/x config\.idToken\.optional is 'yes'; accepted: true or false/],
    [{ allowedCallers: [] }, /GET \/x config\.idToken\.allowedCallers is \[\]/],
    [{ allowedCallers: ['*'] }, /GET \/x config\.idToken\.allowedCallers\[0\] is '\*'/],
    [{ audience: '' }, /GET \/x config\.idToken\.audience is ''/],
    [true, /GET \/x config\.idToken is true; accepted: false, or an object/],
    [null, /GET \/x config\.idToken is null; accepted: false, or an object/],
    ['open', /GET \/x config\.idToken is 'open'; accepted: false, or an object/],
    [[LOGIN], /GET \/x config\.idToken is \[ 'login@.*; accepted: false, or an object/],
  ] as const) {
    const app = Fastify()
    app.register(googleIdToken, options)
    app.get('/x', { config: { idToken } as FastifyContextConfig }, handler)
    await t.rejects(async () => app.ready(), { code: 'ID_TOKEN_OPTION_INVALID', message })
  }
})

t.test('a list of callers in the wrong place stops the start-up', async (t) => {
  const list = { allowedCallers: [SIGNUP] }
  for (const [route, name] of [
    [{ idToken: list }, 'idToken'],
    [{ config: list }, 'config.allowedCallers'],
    [{ config: { idtoken: list } }, 'config.idtoken'],
  ] as const) {
    const app = Fastify()
    app.register(googleIdToken, options)
    app.get('/admin', route as object, handler)
    await t.rejects(async () => app.ready(), {
      code: 'ID_TOKEN_OPTION_INVALID',
      message: new RegExp(`^Option GET /admin ${name} is .*; accepted: config.idToken and`),
    })
  }
})

t.test('all routes that nobody may call are named at once', async (t) => {
  const app = Fastify()
  app.register(googleIdToken, { audience: options.audience, jwks: options.jwks })
  app.get('/a', handler)
  app.post('/b', handler)
  app.get('/c', { config: { idToken: false } }, handler)
  await t.rejects(async () => app.ready(), {
    message:
      /^Option GET \/a, POST \/b config\.idToken\.allowedCallers is missing;.*idToken: false/,
  })
})

t.test('a wrong option fails register, where its caller can catch it', async (t) => {
  for (const [wrong, message] of [
    [{ ...options, audience: [] }, /^Option audience is \[\]/],
    [{ ...options, allowedCaller: [LOGIN] }, /^Option allowedCaller is .* only the names/],
    [{ ...options, jwks: undefined, jwksUri: 'http://keys.example' }, /^Option jwksUri is 'http:/],
  ] as const) {
    const app = Fastify()
    await t.rejects(async () => app.register(googleIdToken, wrong as VerifierOptions), {
      code: 'ID_TOKEN_OPTION_INVALID',
      message,
    })
  }
})

t.test('registering twice fails where one registration would guard the other', async (t) => {
  const message = /registered twice/
  const again = { ...options, audience: 'other' }

  const sameScope = Fastify()
  await sameScope.register(googleIdToken, options)
  await t.rejects(async () => sameScope.register(googleIdToken, again), { message })

  const inside = Fastify()
  inside.register(googleIdToken, options)
  inside.register((scope, _options, done) => {
    scope.register(googleIdToken, again)
    done()
  })
  await t.rejects(async () => inside.ready(), { message })

  const around = Fastify()
  around.register((scope, _options, done) => {
    scope.register(googleIdToken, again)
    scope.get('/', handler)
    done()
  })
  around.register(googleIdToken, options)
  await t.rejects(async () => around.ready(), { message })
})

t.test('listAllowedCallers has one row a route', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const person = { email: 'ann@example.com' }
  app.get('/before', handler)
  app.register(googleIdToken, options)
  app.route({ method: ['GET', 'POST'], url: '/two', handler })
  app.get('/own', { config: { idToken: { allowedCallers: [SIGNUP, person] } } }, handler)
  app.get('/optional', { config: { idToken: { optional: true, audience: ['a', 'b'] } } }, handler)
  app.get('/open', { config: { idToken: false } }, handler)
  app.head('/head-only', handler)
  app.register(
    (scope, _options, done) => {
      scope.get('/', handler)
      scope.get('/in', handler)
      done()
    },
    { prefix: '/scope' },
  )
  await app.ready()

  const byDefault = { access: 'callers', allowedCallers: [LOGIN], audience: [AUDIENCE] }
  t.strictSame(app.listAllowedCallers(), [
    { method: 'GET', url: '/before', ...byDefault },
    { method: 'GET', url: '/two', ...byDefault },
    { method: 'POST', url: '/two', ...byDefault },
    { method: 'GET', url: '/own', ...byDefault, allowedCallers: [SIGNUP, person] },
    { method: 'GET', url: '/optional', ...byDefault, access: 'optional', audience: ['a', 'b'] },
    { method: 'GET', url: '/open', access: 'open', allowedCallers: [], audience: [] },
    { method: 'HEAD', url: '/head-only', ...byDefault },
    { method: 'GET', url: '/scope', ...byDefault },
    { method: 'GET', url: '/scope/in', ...byDefault },
  ])
})

t.test('listAllowedCallers and the verifier are those of the scope', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const rows: Record<string, string[]> = {}
  for (const audience of ['first', 'second']) {
    app.register(
      (scope, _options, done) => {
        scope.register(googleIdToken, { ...options, audience })
        scope.get('/', handler)
        scope.addHook('onReady', async () => {
          rows[audience] = scope.listAllowedCallers().map(({ url }) => url)
          const token = await issuer.idToken({ email: LOGIN, audience })
          t.equal((await scope.idTokenVerifier.verify(token)).audience, audience)
        })
        done()
      },
      { prefix: `/${audience}` },
    )
  }
  app.get('/outside', handler)
  await app.ready()
  t.strictSame(rows, { first: ['/first'], second: ['/second'] })
})

t.test('trustRemovedSignature warns at every start, and starts on Cloud Run only', async (t) => {
  const service = process.env.K_SERVICE
  t.after(() => {
    if (service === undefined) delete process.env.K_SERVICE
    else process.env.K_SERVICE = service
  })
  const trusting = { ...options, trustRemovedSignature: true }

  delete process.env.K_SERVICE
  await t.rejects(async () => Fastify().register(googleIdToken, trusting), {
    message: /^Option trustRemovedSignature is true; .*K_SERVICE is not set/,
  })

  process.env.K_SERVICE = 'user-profiles'
  const log = capturedLog()
  for (let start = 1; start <= 2; start += 1) {
    const app = Fastify({ logger: { stream: log.stream } })
    await app.register(googleIdToken, trusting)
    await app.close()
    const warnings = log.lines().filter(({ level }) => level === LEVEL.warn)
    t.equal(warnings.length, start)
    t.match(warnings[start - 1], { msg: /^trustRemovedSignature is on: / })
  }
})

t.test('prefetch', async (t) => {
  const app = (t: Test, own: object) => {
    const app = Fastify()
    app.register(googleIdToken, { audience: AUDIENCE, allowedCallers: [LOGIN], ...own })
    app.get('/', () => 'ok')
    t.teardown(() => app.close())
    return app
  }

  t.test('starts when the app is ready, and does not delay it', async (t) => {
    const { url, requests } = await startService(t, () => undefined)
    await app(t, { jwksUri: url }).ready()
    await until(() => requests.length === 1)
  })

  t.test('a failure does not stop the start-up', async (t) => {
    const { url } = await startService(t, (_, response) => response.writeHead(500).end())
    await app(t, { jwksUri: url }).ready()
  })

  t.test("'required' starts up with current keys", async (t) => {
    const { url } = await startService(t, (_, response) =>
      response.end(JSON.stringify(issuer.jwks)),
    )
    const service = app(t, { jwksUri: url, prefetch: 'required' })
    await service.ready()
    t.match(service.idTokenVerifier.stats().keys, { state: 'fresh', fetches: 1 })
  })

  t.test("'required' stops the start-up without them, and says why", async (t) => {
    const { url } = await startService(t, (_, response) => response.writeHead(500).end())
    await t.rejects(async () => app(t, { jwksUri: url, prefetch: 'required' }).ready(), {
      message:
        "prefetch is 'required', and no keys could be fetched: the key endpoint answered 500",
    })
  })

  t.test('is validated like any option', async (t) => {
    await t.rejects(async () => app(t, { jwks: issuer.jwks, prefetch: false }).ready(), {
      message: "Option prefetch is false; accepted: true or 'required'",
    })
  })
})

t.test('closing the app closes the verifier', async (t) => {
  const app = Fastify()
  const asked = new EventEmitter()
  const fetching = once(asked, 'fetch')
  app.register(googleIdToken, {
    audience: AUDIENCE,
    allowedCallers: [LOGIN],
    fetch: (_url, init) => {
      asked.emit('fetch', init?.signal)
      return new Promise(() => undefined)
    },
  })
  await app.ready()
  const keys = t.rejects(app.idTokenVerifier.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  const [signal] = (await fetching) as [AbortSignal]
  t.equal(signal.aborted, false)
  await app.close()
  t.equal(signal.aborted, true, 'a fetch under way is ended')
  await keys
})

t.test('a process that has closed its app ends by itself', async (t) => {
  const { url } = await startService(t, (_request, response) => {
    response.setHeader('cache-control', 'public, max-age=20000')
    response.end(JSON.stringify(issuer.jwks))
  })
  const token = await issuer.idToken({ email: LOGIN, audience: AUDIENCE })
  const ended = await runProcess('register-request-close', [`${url}/certs`, AUDIENCE, LOGIN, token])
  t.strictSame(ended, {
    exitCode: 0,
    stdout: `closed after 200 {"caller":"${LOGIN}"}`,
    stderr: '',
  })
})

t.test('routes of an app that was made before the import are guarded all the same', async (t) => {
  const { exitCode, stdout, stderr } = await runProcess('app-made-before-import')
  t.strictSame({ exitCode, stderr }, { exitCode: 0, stderr: '' })
  type Answers = Record<'statusCode' | 'body', unknown>[]
  const answers = JSON.parse(stdout) as Record<
    'early' | 'late' | 'misspelt' | 'unlisted',
    Answers
  > &
    Record<'listed' | 'warnings' | 'listedWithoutEarly' | 'warningsWithoutEarly', string[]> & {
      uncovered: string
    }
  const statuses = (route: 'early' | 'late' | 'misspelt' | 'unlisted') =>
    answers[route].map(({ statusCode }) => statusCode)
  t.strictSame(statuses('early'), [401, 403, 200])
  t.strictSame(statuses('late'), [401, 403, 200])
  t.strictSame(statuses('misspelt'), [500, 500, 500], 'start-up could not tell; nobody gets in')
  t.strictSame(statuses('unlisted'), [500, 500, 500])
  for (const { body } of [...answers.misspelt, ...answers.unlisted]) {
    t.equal(
      body,
      '{"statusCode":500,"error":"Internal Server Error","message":"This route has no valid rule for who may call it"}',
    )
  }
  t.strictSame(answers.listed, ['/late'], 'what is known is listed')
  t.match(answers.warnings, [/^routes were declared before fastify-google-id-token was loaded/])
  t.match(answers.uncovered, /^No guard reads the config\.idToken of GET \/admin\. /)
  t.strictSame(answers.listedWithoutEarly, ['/late'], 'an app without early routes misses none')
  t.strictSame(answers.warningsWithoutEarly, [])
})

t.test(
  'under @fastify/autoload, without a logger, the process is warned of early routes',
  async (t) => {
    // A test runner may hand --no-warnings down; the last of the two flags counts.
    const { stdout, stderr } = await runProcess('autoload-guard', ['late'], 20_000, ['--warnings'])
    const [message, ...more] = (JSON.parse(stdout) as { warnings: [string, ...string[]] }).warnings
    t.strictSame(more, [])
    t.match(
      message,
      /^routes were declared before fastify-google-id-token was loaded: they are guarded/,
    )
    t.match(message, /write import 'fastify-google-id-token' in the file that makes the app$/)
    t.match(JSON.parse(stdout), { statusCode: 401, listed: [] })
    t.match(stderr, `GoogleIdTokenWarning: ${message}`, 'and Node prints it')

    const remedied = await runProcess('autoload-guard', ['early'], 20_000, ['--warnings'])
    t.strictSame(JSON.parse(remedied.stdout), {
      statusCode: 401,
      listed: ['/early'],
      warnings: [],
    })
    t.notMatch(remedied.stderr, 'GoogleIdTokenWarning')
  },
)
