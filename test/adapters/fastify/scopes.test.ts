import Fastify, { type FastifyContextConfig, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import googleIdToken from '../../../src/index.ts'
import { capturedLog, LEVEL } from '../../helpers/captured-log.ts'
import { audience as AUDIENCE, login as LOGIN } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const options = { audience: AUDIENCE, allowedCallers: [LOGIN], jwks: issuer.jwks }
const onlyLogin = { config: { idToken: { allowedCallers: [LOGIN] } } }
const handler = () => ({})

/** Fastify's commonest mistake: what this registers stays in a scope of its own. */
const guardInItsOwnScope = async (scope: FastifyInstance) => {
  await scope.register(googleIdToken, options)
}

/** An app, and the warnings that it logs. */
function logged(): { app: FastifyInstance; warnings: () => unknown[] } {
  const { stream, lines } = capturedLog()
  const app = Fastify({ logger: { level: 'warn', stream } })
  const warnings = () =>
    lines()
      .filter(({ level }) => level === LEVEL.warn)
      .map(({ msg }) => msg)
  return { app, warnings }
}

t.test('a plugin in its own scope stops the start-up if routes outside it need it', async (t) => {
  const outside: [name: string, declare: (app: FastifyInstance) => void][] = [
    ['GET /admin', (app) => app.get('/admin', onlyLogin, handler)],
    [
      'PUT,POST /admin',
      (app) => app.route({ method: ['PUT', 'POST'], url: '/admin', ...onlyLogin, handler }),
    ],
    [
      'GET /v1/admin',
      (app) =>
        app.register(
          (scope, _options, done) => {
            scope.get('/admin', onlyLogin, handler)
            done()
          },
          { prefix: '/v1' },
        ),
    ],
  ]
  for (const [name, declare] of outside) {
    for (const order of ['before', 'after'] as const) {
      const app = Fastify()
      if (order === 'before') declare(app)
      app.register(guardInItsOwnScope)
      if (order === 'after') declare(app)
      await t.rejects(
        async () => app.ready(),
        {
          name: 'TypeError',
          code: 'ID_TOKEN_OPTION_INVALID',
          message: `No guard reads the config.idToken of ${name}. fastify-google-id-token is registered in a scope that does not hold these routes, so anyone could call them. Wrap the plugin function that registers it with fastify-plugin, or register it on the app itself.`,
        },
        `${name} ${order}`,
      )
    }
  }

  const wrapped = Fastify()
  // A function of its own: fastify-plugin marks the one that it gets.
  wrapped.register(fp((scope: FastifyInstance) => guardInItsOwnScope(scope)))
  wrapped.get('/admin', onlyLogin, handler)
  t.equal((await wrapped.inject('/admin')).statusCode, 401, 'the remedy')
  await wrapped.close()
})

t.test('without a guard, every config.idToken except false stops the start-up', async (t) => {
  for (const idToken of [{}, { optional: true }, { allowedCaller: [LOGIN] }, true, null, 'open']) {
    const app = Fastify()
    app.register(guardInItsOwnScope)
    app.get('/x', { config: { idToken } as FastifyContextConfig }, handler)
    await t.rejects(async () => app.ready(), { message: /config\.idToken of GET \/x\. / })
  }
  const inherited = Fastify()
  inherited.register(guardInItsOwnScope)
  inherited.get('/x', { config: Object.create(onlyLogin.config) as object }, handler)
  await t.rejects(async () => inherited.ready(), { message: /config\.idToken of GET \/x\. / })

  const hooked = Fastify()
  hooked.addHook('onRoute', (route) => {
    route.config = { ...route.config, ...onlyLogin.config }
  })
  hooked.get('/x', handler)
  await t.rejects(async () => hooked.ready(), { message: /config\.idToken of GET \/x\. / })

  const open = Fastify()
  t.after(() => open.close())
  open.register(guardInItsOwnScope)
  open.get('/none', handler)
  open.get('/undefined', { config: { idToken: undefined } }, handler)
  open.get('/false', { config: { idToken: false } }, handler)
  await open.ready()
})

t.test('an app in which the plugin is never registered stops too', async (t) => {
  const app = Fastify()
  app.get('/open', handler)
  app.get('/admin', onlyLogin, handler)
  await t.rejects(async () => app.ready(), {
    code: 'ID_TOKEN_OPTION_INVALID',
    message:
      'No guard reads the config.idToken of GET /admin. fastify-google-id-token is imported, but not registered in this app, so anyone could call them. Register it on the app itself, before it is ready.',
  })
})

t.test('a registration that failed, and whose error was dropped, guards nothing', async (t) => {
  const app = Fastify()
  app.register(googleIdToken, { ...options, audience: [] }).after((error) => {
    t.match(error, { code: 'ID_TOKEN_OPTION_INVALID' })
  })
  app.get('/admin', onlyLogin, handler)
  await t.rejects(async () => app.ready(), { message: /No guard reads .* GET \/admin\. / })
})

t.test('of many routes the first ten are named', async (t) => {
  const app = Fastify()
  for (let route = 1; route <= 12; route += 1) app.get(`/${route}`, onlyLogin, handler)
  await t.rejects(async () => app.ready(), { message: /GET \/9, GET \/10 and 2 more\. / })
})

t.test('a route is covered by any registration around it', async (t) => {
  const { app, warnings } = logged()
  t.after(() => app.close())
  for (const prefix of ['/first', '/second']) {
    app.register(
      async (scope) => {
        scope.get('/before', onlyLogin, handler)
        scope.register(
          (inner, _options, done) => {
            inner.get('/deep', onlyLogin, handler)
            done()
          },
          { prefix: '/inner' },
        )
        await scope.register(googleIdToken, options)
        scope.get('/after', onlyLogin, handler)
      },
      { prefix },
    )
  }
  app.get('/open', handler)
  await app.ready()
  for (const path of ['/before', '/after', '/inner/deep']) {
    t.equal((await app.inject(`/first${path}`)).statusCode, 401, path)
    t.equal((await app.inject(`/second${path}`)).statusCode, 401, path)
  }
  t.equal((await app.inject('/open')).statusCode, 200)
  t.strictSame(
    warnings().filter((message) => !String(message).startsWith('ID token refused')),
    [],
  )

  const third = Fastify()
  third.register(async (scope) => {
    await scope.register(googleIdToken, options)
    scope.get('/first', onlyLogin, handler)
  })
  third.register((scope, _options, done) => {
    scope.get('/third', onlyLogin, handler)
    done()
  })
  await t.rejects(async () => third.ready(), { message: /config\.idToken of GET \/third\. / })
})

t.test('a guarded scope without any route warns', async (t) => {
  const { app, warnings } = logged()
  app.register(guardInItsOwnScope)
  app.get('/open', handler)
  await app.ready()
  await app.close()
  t.match(warnings(), [
    /^fastify-google-id-token guards nothing: .* holds no route; .* fastify-plugin/,
  ])

  const whole = logged()
  await whole.app.register(googleIdToken, options)
  await whole.app.ready()
  await whole.app.close()
  t.match(
    whole.warnings(),
    [/^fastify-google-id-token guards nothing: .* holds no route$/],
    'the app itself leaves no route open, so there is nothing to wrap',
  )
})

t.test('an app that is not guarded, and names no policy, keeps its configs', async (t) => {
  const config = {}
  const seen: unknown[] = []
  const app = Fastify()
  t.after(() => app.close())
  app.addHook('onRoute', (route) => {
    seen.push(route.config)
  })
  app.post('/x', { config }, handler)
  await app.ready()
  t.equal(seen[0], config)
})

t.test('a guarded route without a config gets none', async (t) => {
  const seen: unknown[] = []
  const app = Fastify()
  t.after(() => app.close())
  await app.register(googleIdToken, options)
  app.addHook('onRoute', (route) => {
    seen.push(route.config)
  })
  app.post('/x', handler)
  await app.ready()
  t.strictSame(seen, [undefined])
})

t.test('another copy of this package counts as a guard', async (t) => {
  const guardOfAnotherCopy = Symbol.for('fastify-google-id-token.guard')
  const guarded = Fastify()
  t.after(() => guarded.close())
  guarded.decorate(guardOfAnotherCopy, true)
  guarded.get('/admin', onlyLogin, handler)
  await guarded.ready()

  const twice = Fastify()
  twice.decorate(guardOfAnotherCopy, true)
  await t.rejects(async () => twice.register(googleIdToken, options), {
    message: /registered twice/,
  })

  const here = Fastify()
  t.after(() => here.close())
  await here.register(googleIdToken, options)
  t.ok(here.hasDecorator(guardOfAnotherCopy), 'and this one counts there')
})

t.test(
  'a change of a config after its route was declared has no effect, and is not listed',
  async (t) => {
    const { app } = logged()
    t.after(() => app.close())
    const before: FastifyContextConfig = {}
    const after: FastifyContextConfig = {}
    app.get('/before', { config: before }, handler)
    await app.register(googleIdToken, options)
    app.get('/after', { config: after }, handler)
    before.idToken = false
    after.idToken = false
    await app.ready()
    t.match(app.listAllowedCallers(), [{ access: 'callers' }, { access: 'callers' }])
    t.equal((await app.inject('/before')).statusCode, 401)
    t.equal((await app.inject('/after')).statusCode, 401)
  },
)

t.test('an idToken that Fastify would leave out of the config stops the start-up', async (t) => {
  const hidden = Object.defineProperty({}, 'idToken', { value: onlyLogin.config.idToken })
  for (const config of [Object.create(onlyLogin.config) as object, hidden]) {
    const app = Fastify()
    app.register(googleIdToken, options)
    app.get('/admin', { config }, handler)
    await t.rejects(async () => app.ready(), {
      code: 'ID_TOKEN_OPTION_INVALID',
      message:
        'Option GET /admin config.idToken is inherited or not enumerable, so that Fastify leaves it out; accepted: an idToken that is a member of config itself',
    })
  }
})

t.test('a decorator that is there already is named, with what to do', async (t) => {
  const taken: [name: string, decorate: (app: FastifyInstance) => void][] = [
    ['request.caller', (app) => app.decorateRequest('caller', null as never)],
    ['app.idTokenVerifier', (app) => app.decorate('idTokenVerifier', null as never)],
    ['app.listAllowedCallers', (app) => app.decorate('listAllowedCallers', () => [])],
  ]
  for (const [name, decorate] of taken) {
    const app = Fastify()
    decorate(app)
    await t.rejects(async () => app.register(googleIdToken, options), {
      code: 'FST_ERR_DEC_ALREADY_PRESENT',
      message: `${name} is decorated already, by this app or by another plugin, and fastify-google-id-token needs that name: rename the other decorator`,
    })
  }
})

t.test('request.caller is null, not undefined, where no guard has set it', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const seen: unknown[] = []
  app.addHook('onRequest', (request, _reply, done) => {
    seen.push(request.caller)
    done()
  })
  await app.register(googleIdToken, options)
  app.get('/open', { config: { idToken: false } }, (request) => {
    seen.push(request.caller)
    return {}
  })
  t.equal((await app.inject('/open')).statusCode, 200)
  t.equal((await app.inject('/nowhere')).statusCode, 401)
  t.strictSame(seen, [null, null, null])
})
