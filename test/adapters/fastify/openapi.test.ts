/** What `@fastify/swagger` says about guarded routes. */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance, type FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import googleIdToken from '../../../src/index.ts'
import { silent } from '../../helpers/captured-log.ts'
import { issuer } from '../../helpers/issuer.ts'
import { audience, login } from '../../helpers/shop.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks, logger: silent }
const openapi = { info: { title: 'profiles', version: '1.0.0' } }
const optional = { config: { idToken: { optional: true } } }
const open = { config: { idToken: false } } as const
const handler = (): object => ({})

interface Operation {
  readonly security?: object[]
  readonly responses: Record<string, object>
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly securitySchemes?: Record<string, object> }
  readonly securityDefinitions?: Record<string, object>
}

type Declare = (app: FastifyInstance) => unknown

/** The document of an app, which is valid. */
async function documented(
  t: Test,
  swaggerOptions: FastifyDynamicSwaggerOptions,
  declare: Declare,
): Promise<{ readonly app: FastifyInstance; readonly document: Document }> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, swaggerOptions)
  await app.register(googleIdToken, options)
  await declare(app)
  await app.ready()
  const document: unknown = app.swagger()
  await assertValid(t, document)
  return { app, document: document as Document }
}

async function assertValid(t: Test, document: unknown): Promise<void> {
  const { valid, errors } = await new Validator().validate(
    structuredClone(document) as Record<string, unknown>,
  )
  t.ok(valid, JSON.stringify(errors))
  t.notMatch(JSON.stringify(document), 'x-google-id-token')
}

const refused = (statuses: string): RegExp => new RegExp(`^${statuses}$`)
const statusesOf = ({ responses }: Operation): string => Object.keys(responses).join()

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`OpenAPI ${version}: guarded, optional and open routes`, async (t) => {
    const { document } = await documented(t, { openapi: { ...openapi, openapi: version } }, (app) =>
      app
        .get('/profiles/:id', handler)
        .get('/hello', optional, handler)
        .get('/health', open, handler)
        .get('/seen', { config: { idToken: { reportOnly: true } } }, handler)
        .get('/hidden', { schema: { hide: true } }, handler),
    )
    const { paths, components } = document
    t.match(components.securitySchemes, {
      googleIdToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    })
    const security = [{ googleIdToken: [] }]
    const guarded = paths['/profiles/{id}']?.get as Operation
    t.match(guarded, {
      security,
      parameters: [{ name: 'id', in: 'path' }],
      responses: {
        200: {},
        401: { headers: { 'WWW-Authenticate': {} } },
        403: { headers: { 'WWW-Authenticate': { schema: { type: 'string' } } } },
        503: { headers: { 'Retry-After': { schema: { type: 'integer' } } } },
      },
    })
    t.match(paths['/hello']?.get, { security: [...security, {}] })
    t.match(statusesOf(paths['/hello']?.get as Operation), refused('200,401,403,503'))
    t.strictSame(paths['/health']?.get, { responses: { 200: { description: 'Default Response' } } })
    t.match(paths['/seen']?.get, { security: [...security, {}] })
    t.match(statusesOf(paths['/seen']?.get as Operation), refused('200'), 'nobody is refused')
    t.notOk('/hidden' in paths)
  })
}

t.test('Swagger 2, which is the default of @fastify/swagger', async (t) => {
  const { document } = await documented(t, { swagger: { info: openapi.info } }, (app) =>
    app.get('/profiles', handler).get('/hello', optional, handler),
  )
  t.match(document.securityDefinitions, {
    googleIdToken: { type: 'apiKey', in: 'header', name: 'Authorization' },
  })
  t.match(document.paths, {
    '/profiles': {
      get: {
        security: [{ googleIdToken: [] }],
        responses: {
          401: { schema: { type: 'object' }, headers: { 'WWW-Authenticate': { type: 'string' } } },
          503: { headers: { 'Retry-After': { type: 'integer' } } },
        },
      },
    },
    '/hello': { get: { security: [{ googleIdToken: [] }, {}] } },
  })
})

t.test('the documented body is the one that is sent', async (t) => {
  const { app, document } = await documented(t, { openapi }, (app) => app.get('/', handler))
  const { responses } = document.paths['/']?.get as Operation
  const answer = await app.inject('/')
  t.equal(answer.statusCode, 401)
  const { content } = responses['401'] as {
    content: { 'application/json': { schema: { required: string[]; properties: object } } }
  }
  const { required, properties } = content['application/json'].schema
  const body = answer.json<object>()
  t.strictSame(required, Object.keys(body))
  const examples = Object.entries(properties as Record<string, { example: unknown }>)
  t.strictSame(Object.fromEntries(examples.map(([name, { example }]) => [name, example])), body)
})

t.test('what a route or the app says itself is kept', async (t) => {
  const text = { type: 'string' }
  const apiKey = { type: 'apiKey', in: 'header', name: 'x-api-key' } as const
  const own = { description: 'Ours', ...text }
  const schema = (one: object): { schema: FastifySchema } => ({ schema: one })
  const security = [{ apiKey: [] }]
  const { document } = await documented(
    t,
    { openapi: { ...openapi, security, components: { securitySchemes: { apiKey } } } },
    (app) =>
      app
        .get('/both', handler)
        .get('/either', optional, handler)
        .get('/own', schema({ security: [{ apiKey: [] }], response: { 401: own } }), handler)
        .get('/ranges', schema({ response: { '4xx': own, 503: own } }), handler)
        .get('/default', schema({ response: { default: own } }), handler),
  )
  const { paths, components } = document
  t.strictSame(Object.keys(components.securitySchemes ?? {}), ['googleIdToken', 'apiKey'])
  const both = { apiKey: [], googleIdToken: [] }
  t.strictSame(paths['/both']?.get?.security, [both])
  t.strictSame(paths['/either']?.get?.security, [both, { apiKey: [] }])
  t.strictSame(paths['/own']?.get?.security, security)
  t.match(paths['/own']?.get?.responses, { 401: { description: 'Ours' }, 403: {}, 503: {} })
  t.match(statusesOf(paths['/ranges']?.get as Operation), refused('503,4XX'))
  t.match(statusesOf(paths['/default']?.get as Operation), refused('default'))
})

t.test('neither validation nor serialization changes', async (t) => {
  const { app } = await documented(t, { openapi }, (app) =>
    app
      .setErrorHandler((_error, _request, reply) => reply.code(401).send({ problem: 'of our own' }))
      .get('/', { schema: { response: { 200: { type: 'object' } } } }, handler)
      .get('/plain', (request) => ({ schema: request.routeOptions.schema ?? 'none' })),
  )
  t.same((await app.inject('/')).json(), { problem: 'of our own' })
  const authorization = `Bearer ${await issuer.idToken({ email: login, audience })}`
  const plain = await app.inject({ url: '/plain', headers: { authorization } })
  t.same(plain.json(), { schema: 'none' })
})

t.test('HEAD operations have no bodies, with an operationId too', async (t) => {
  const { document } = await documented(t, { openapi, exposeHeadRoutes: true }, (app) =>
    app
      .get('/', handler)
      .get('/named', { schema: { operationId: 'named' } }, handler)
      .route({ method: 'HEAD', url: '/alone', ...open, handler }),
  )
  for (const path of ['/', '/named']) {
    const { get, head } = document.paths[path] as Record<string, Operation>
    t.match(head, { security: [{ googleIdToken: [] }], responses: { 401: {} } })
    t.ok('content' in (get?.responses['401'] ?? {}))
    t.notOk('content' in (head?.responses['401'] ?? {}))
  }
  t.notOk(document.paths['/alone']?.head?.security)
})

t.test('what the option transform makes of a schema is documented', async (t) => {
  const { document } = await documented(
    t,
    {
      openapi,
      transform: ({ schema, url }) => {
        // As schemas of other kinds than JSON Schema are transformed.
        for (const response of Object.values((schema.response ?? {}) as object)) {
          if (!('ours' in (response as object))) throw new Error('not a schema of the app')
        }
        return { schema: { ...schema, response: undefined }, url: `/v1${url}` }
      },
    },
    (app) => app.get('/', { schema: { response: { 200: { ours: true } } } }, handler),
  )
  t.match(document.paths['/v1/']?.get, {
    security: [{ googleIdToken: [] }],
    responses: { 403: {} },
  })
})

t.test('in YAML the document is the same', async (t) => {
  const { app, document } = await documented(t, { openapi }, (app) => app.get('/', handler))
  t.same(parse(app.swagger({ yaml: true })), JSON.parse(JSON.stringify(document)))
  t.equal(app.swagger(), app.swagger())
})

t.test('whichever plugin comes first, and with two guards', async (t) => {
  const scope: Declare = async (app) => {
    await app.register(swagger, { openapi })
    app.get('/inside', handler)
  }
  const setUps: Record<string, Declare> = {
    'the guard first': (app) =>
      app
        .register(googleIdToken, options)
        .register(swagger, { openapi })
        .after(() => {
          app.get('/inside', handler)
        }),
    'both from a plugin': (app) => app.register(googleIdToken, options).register(fp(scope)),
    'sibling guards': (app) =>
      app.register(swagger, { openapi }).after(() => {
        for (const path of ['/inside', '/beside']) {
          app.register((child, _options, done) => {
            child.register(googleIdToken, options)
            child.get(path, handler)
            done()
          })
        }
      }),
  }
  for (const [name, setUp] of Object.entries(setUps)) {
    const app = Fastify()
    t.teardown(() => app.close())
    setUp(app)
    await app.ready()
    const { paths } = app.swagger() as unknown as Document
    await assertValid(t, app.swagger())
    for (const [path, { get }] of Object.entries(paths)) {
      t.strictSame(get?.security, [{ googleIdToken: [] }], `${name}: ${path}`)
    }
    t.ok('/inside' in paths)
  }
})

t.test('a document that was written by hand stays as it is', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const document = { openapi: '3.1.0', info: openapi.info, webhooks: {} }
  const specification = { document: document as never }
  await app.register(swagger, { mode: 'static', specification })
  await app.register(googleIdToken, options)
  app.get('/', handler)
  await app.ready()
  t.equal(app.swagger(), document)
  t.same(parse(app.swagger({ yaml: true })), document)
  t.match(app.swagger({ yaml: true }), /^openapi: /, 'as @fastify/swagger writes it')
})

/** The paths of an app with a guard in a scope inside it: routes outside of the scope, and in it. */
async function pathsBeside(t: Test, outside: Declare, inside: Declare): Promise<Document['paths']> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi, exposeHeadRoutes: true })
  outside(app)
  app.register((scope, _options, done) => {
    scope.register(googleIdToken, options)
    inside(scope)
    done()
  })
  await app.ready()
  await assertValid(t, app.swagger())
  return (app.swagger() as unknown as Document).paths
}

t.test('an operation that no guard covers is not described', async (t) => {
  const paths = await pathsBeside(
    t,
    (app) => app.head('/outside', handler).get('/beside', handler),
    (scope) => scope.get('/inside', handler),
  )
  t.notOk('security' in (paths['/outside']?.head ?? {}))
  t.notOk('security' in (paths['/beside']?.get ?? {}))
  t.ok('security' in (paths['/inside']?.get ?? {}))
})

t.test('operations of one path are described one by one', async (t) => {
  const paths = await pathsBeside(
    t,
    (app) => app.post('/profiles', handler),
    (scope) => scope.get('/profiles', { exposeHeadRoute: false }, handler),
  )
  const { get, post, ...others } = paths['/profiles'] ?? {}
  t.strictSame(others, {})
  t.strictSame(get?.security, [{ googleIdToken: [] }])
  t.strictSame(post, { responses: { 200: { description: 'Default Response' } } })
})

t.test('a document that the app makes without components gets the scheme', async (t) => {
  const { document } = await documented(
    t,
    {
      openapi,
      transformObject: (made) => {
        const { components, ...others } = (made as { openapiObject: Document }).openapiObject
        t.ok(components)
        return others as object
      },
    },
    (app) => app.get('/', handler),
  )
  t.strictSame(Object.keys(document.components.securitySchemes ?? {}), ['googleIdToken'])
})

t.test('a decorator of the same name is left alone', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const own = (): never => {
    throw new Error('called')
  }
  app.decorate('swagger', own as never)
  await app.register(googleIdToken, options)
  app.get('/', { schema: { tags: ['a'] } }, handler)
  await app.ready()
  t.equal(app.swagger, own)
})
