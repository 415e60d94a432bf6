import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import googleIdToken, { type Caller } from '../../../src/index.ts'
import { createTestIssuer } from '../../../src/testing.ts'
import { audience as AUDIENCE, login as LOGIN, signup as SIGNUP } from '../../helpers/shop.ts'
import { issuer, otherIssuer } from '../../helpers/issuer.ts'

const options = { audience: AUDIENCE, allowedCallers: [LOGIN], jwks: issuer.jwks }
const bearer = async (email = LOGIN, audience = AUDIENCE) =>
  `Bearer ${await issuer.idToken({ email, audience })}`
const login = await bearer()
const signup = await bearer(SIGNUP)

interface Answer {
  status: number
  code?: string
  body: unknown
}

async function ask(
  app: FastifyInstance,
  url: string,
  authorization?: string,
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' = 'GET',
): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization }
  const response = await app.inject({ url, method, headers })
  const body: unknown = response.body === '' ? '' : response.json()
  const { code } = body as { code?: string }
  return { status: response.statusCode, ...(code !== undefined && { code }), body }
}

t.test('routes are guarded wherever and whenever they are declared', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const answer = () => ({ answered: true })
  app.get('/before', answer)
  const registered = app.register(googleIdToken, options)
  app.get('/same-tick', answer)
  app.route({ method: ['GET', 'PUT', 'DELETE'], url: '/many-methods', handler: answer })
  app.register(
    (scope, _options, done) => {
      scope.get('/', answer)
      scope.register(
        (inner, _options, done) => {
          inner.post('/deep', answer)
          done()
        },
        { prefix: '/inner' },
      )
      done()
    },
    { prefix: '/scope' },
  )
  await registered
  app.get('/after', answer)

  for (const [method, url] of [
    ['GET', '/before'],
    ['HEAD', '/before'],
    ['GET', '/same-tick'],
    ['HEAD', '/same-tick'],
    ['GET', '/after'],
    ['HEAD', '/after'],
    ['GET', '/many-methods'],
    ['HEAD', '/many-methods'],
    ['PUT', '/many-methods'],
    ['DELETE', '/many-methods'],
    ['GET', '/scope'],
    ['GET', '/scope/'],
    ['HEAD', '/scope'],
    ['HEAD', '/scope/'],
    ['POST', '/scope/inner/deep'],
  ] as const) {
    t.equal((await ask(app, url, undefined, method)).status, 401, `${method} ${url}: no token`)
    t.equal((await ask(app, url, signup, method)).status, 403, `${method} ${url}: not listed`)
    t.equal((await ask(app, url, login, method)).status, 200, `${method} ${url}: listed`)
  }
})

t.test('a route has its own list, audience, optional caller, or none at all', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, options)
  const email = ({ caller }: { caller: Caller | null }) => ({ caller: caller?.email ?? null })
  app.get('/own-list', { config: { idToken: { allowedCallers: [SIGNUP] } } }, email)
  app.get('/own-audience', { config: { idToken: { audience: 'profiles' } } }, email)
  app.get('/optional', { config: { idToken: { optional: true } } }, email)
  app.get('/open', { config: { idToken: false } }, email)

  t.match(await ask(app, '/own-list', signup), { status: 200, body: { caller: SIGNUP } })
  t.match(
    await ask(app, '/own-list', login),
    { status: 403, code: 'ID_TOKEN_CALLER_NOT_ALLOWED' },
    'the own list replaces the default one',
  )

  const own = await bearer(LOGIN, 'profiles')
  t.match(await ask(app, '/own-audience', own), { status: 200, body: { caller: LOGIN } })
  t.match(
    await ask(app, '/own-audience', login),
    { status: 401, code: 'ID_TOKEN_AUDIENCE_MISMATCH' },
    'the own audience replaces the default one',
  )
  t.match(await ask(app, '/optional', own), { status: 401, code: 'ID_TOKEN_AUDIENCE_MISMATCH' })

  t.match(await ask(app, '/optional'), { status: 200, body: { caller: null } })
  t.match(await ask(app, '/optional', login), { status: 200, body: { caller: LOGIN } })
  t.match(await ask(app, '/optional', signup), { status: 403 }, 'a caller must still be listed')
  t.match(await ask(app, '/optional', `${login}x`), { status: 401 }, 'a token must still be good')
  t.match(
    await ask(app, '/optional', 'Basic bG9naW46c2VjcmV0'),
    { status: 401, code: 'ID_TOKEN_SCHEME_UNSUPPORTED' },
    'a header that holds no token is not the same as no header',
  )

  for (const header of [undefined, login, `${login}x`, 'garbage, more garbage', '']) {
    t.match(
      await ask(app, '/open', header),
      { status: 200, body: { caller: null } },
      'an open route reads no token',
    )
  }
})

t.test('the policy that counts is the one that an onRoute hook leaves', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, idToken: { allowedCallers: [SIGNUP] } }
  })
  app.register(googleIdToken, { audience: AUDIENCE, jwks: issuer.jwks })
  app.get('/', () => ({}))
  t.equal((await ask(app, '/', login)).status, 403)
  t.equal((await ask(app, '/', signup)).status, 200)
})

t.test('sibling scopes have their own audience, issuer, keys and verifier', async (t) => {
  const partner = await createTestIssuer({
    key: otherIssuer.key,
    issuer: 'https://id.partner.example',
  })
  const app = Fastify()
  t.after(() => app.close())
  app.register(
    (scope, _options, done) => {
      scope.register(googleIdToken, options)
      scope.get('/', (request) => ({ issuer: request.caller.issuer }))
      done()
    },
    { prefix: '/google' },
  )
  app.register(
    (scope, _options, done) => {
      scope.register(googleIdToken, {
        audience: 'partners',
        allowedCallers: [SIGNUP],
        issuer: partner.issuer,
        jwks: partner.jwks,
      })
      scope.get('/', (request) => ({ issuer: request.caller.issuer }))
      done()
    },
    { prefix: '/partner' },
  )
  app.get('/outside', () => ({}))
  const partners = `Bearer ${await partner.idToken({ email: SIGNUP, audience: 'partners' })}`

  t.match(await ask(app, '/google', login), {
    status: 200,
    body: { issuer: 'https://accounts.google.com' },
  })
  t.match(await ask(app, '/partner', partners), {
    status: 200,
    body: { issuer: 'https://id.partner.example' },
  })
  t.match(await ask(app, '/google', partners), { status: 401, code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.match(await ask(app, '/partner', login), { status: 401, code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.equal((await ask(app, '/outside')).status, 200, 'a scope guards nothing outside it')
  t.equal(app.hasDecorator('idTokenVerifier'), false)
})

t.test('the not-found handler tells only callers what does not exist', async (t) => {
  const withDefault = Fastify()
  const withoutDefault = Fastify()
  const withHandler = Fastify()
  t.after(() => Promise.all([withDefault, withoutDefault, withHandler].map((app) => app.close())))
  withDefault.register(googleIdToken, options)
  withoutDefault.register(googleIdToken, { audience: AUDIENCE, jwks: issuer.jwks })
  withHandler.register(googleIdToken, options)
  withHandler.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ nothingFor: request.caller.email }),
  )

  for (const app of [withDefault, withHandler]) {
    t.match(await ask(app, '/nowhere'), { status: 401, code: 'ID_TOKEN_MISSING' })
    t.match(await ask(app, '/nowhere', `${login}x`, 'POST'), { status: 401 })
    t.match(await ask(app, '/nowhere', signup), {
      status: 403,
      code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
    })
    t.match(await ask(app, '/nowhere', login), { status: 404 })
  }
  t.match(await ask(withHandler, '/nowhere', login), { body: { nothingFor: LOGIN } })
  t.match(await ask(withoutDefault, '/nowhere'), { status: 401 })
  t.match(await ask(withoutDefault, '/nowhere', signup), { status: 404 }, 'any verified caller')
})

t.test('reply.callNotFound() answers every request that the route let in', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.register(googleIdToken, options)
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ caller: request.caller }))
  app.get('/open', { config: { idToken: false } }, (_request, reply) => {
    reply.callNotFound()
  })
  app.get('/guarded', (_request, reply) => {
    reply.callNotFound()
  })
  t.match(await ask(app, '/open'), { status: 404, body: { caller: null } })
  t.match(await ask(app, '/guarded', login), { status: 404, body: { caller: { email: LOGIN } } })
  t.match(await ask(app, '/guarded'), { status: 401 })
})
