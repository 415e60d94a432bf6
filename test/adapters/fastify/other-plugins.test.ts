/** Beside plugins that many services have: which order README tells, and what happens in the other. */
import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import underPressure from '@fastify/under-pressure'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import googleIdToken, { type Caller } from '../../../src/index.ts'
import { audience as AUDIENCE, login as LOGIN, signup as SIGNUP } from '../../helpers/shop.ts'
import { issuer } from '../../helpers/issuer.ts'

const ORIGIN = 'https://shop.example'

const options = { audience: AUDIENCE, allowedCallers: [LOGIN, SIGNUP], jwks: issuer.jwks }
const bearer = async (email: string) =>
  `Bearer ${await issuer.idToken({ email, subject: email.length.toString(), audience: AUDIENCE })}`

const preflight = (app: FastifyInstance) =>
  app.inject({
    method: 'OPTIONS',
    url: '/profiles',
    headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
  })

t.test('@fastify/cors before the plugin answers preflights, and marks refusals', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(cors, { origin: ORIGIN })
  await app.register(googleIdToken, options)
  app.get('/profiles', () => ({}))
  const allowed = await preflight(app)
  t.equal(allowed.statusCode, 204)
  t.equal(allowed.headers['access-control-allow-origin'], ORIGIN)
  const refused = await app.inject({ url: '/profiles', headers: { origin: ORIGIN } })
  t.equal(refused.statusCode, 401)
  t.equal(refused.headers['access-control-allow-origin'], ORIGIN, 'so that a page may read it')
})

t.test('@fastify/cors after the plugin has its preflights refused', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(googleIdToken, options)
  await app.register(cors, { origin: ORIGIN })
  app.get('/profiles', () => ({}))
  t.equal((await preflight(app)).statusCode, 401)
})

t.test('without a default list, @fastify/cors needs a config.idToken for its route', async (t) => {
  const withoutList = { audience: AUDIENCE, jwks: issuer.jwks }
  const silent = Fastify()
  await silent.register(cors, { origin: ORIGIN })
  await silent.register(googleIdToken, withoutList)
  await t.rejects(async () => silent.ready(), {
    message: /^Option OPTIONS \* config\.idToken\.allowedCallers is missing/,
  })

  const app = Fastify()
  t.after(() => app.close())
  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS') route.config = { ...route.config, idToken: false }
  })
  await app.register(cors, { origin: ORIGIN })
  await app.register(googleIdToken, withoutList)
  t.equal((await preflight(app)).statusCode, 204)
})

t.test(
  '@fastify/rate-limit counts refused requests by address, and the others by caller',
  async (t) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(rateLimit, { global: false, max: 6 })
    app.addHook('onRequest', app.rateLimit())
    await app.register(googleIdToken, options)
    await app.register(rateLimit, {
      hook: 'preHandler',
      max: 2,
      keyGenerator: ({ caller, ip }: { caller: Caller | null; ip: string }) =>
        caller?.subject ?? ip,
    })
    app.get('/profiles', () => ({}))
    const ask = async (authorization: string, remoteAddress: string): Promise<number> =>
      (await app.inject({ url: '/profiles', remoteAddress, headers: { authorization } })).statusCode

    const login = await bearer(LOGIN)
    for (const expected of [200, 200, 429]) t.equal(await ask(login, '192.0.2.1'), expected)
    t.equal(await ask(await bearer(SIGNUP), '192.0.2.1'), 200, 'another caller has its own count')
    for (const expected of [401, 401, 401, 401, 401, 401, 429, 429]) {
      t.equal(await ask('Bearer guess', '192.0.2.2'), expected)
    }
  },
)

t.test('@fastify/rate-limit with its defaults never counts refused requests', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(rateLimit, { max: 1 })
  await app.register(googleIdToken, options)
  app.get('/profiles', () => ({}))
  for (let time = 0; time < 3; time += 1) t.equal((await app.inject('/profiles')).statusCode, 401)
})

t.test(
  '@fastify/under-pressure before the plugin answers before a token is verified',
  async (t) => {
    let healthy = true
    const pressure = {
      healthCheck: () => Promise.resolve(healthy),
      healthCheckInterval: 5,
      exposeStatusRoute: { url: '/status', routeOpts: { config: { idToken: false as const } } },
    }
    const app = Fastify()
    t.after(() => app.close())
    await app.register(underPressure, pressure)
    await app.register(googleIdToken, options)
    app.get('/profiles', () => ({}))
    const statusOf = async (url: string): Promise<number> => (await app.inject({ url })).statusCode
    t.equal(await statusOf('/status'), 200, 'open')
    t.equal(await statusOf('/profiles'), 401)
    healthy = false
    let status
    while ((status = await statusOf('/profiles')) === 401) await new Promise(setImmediate)
    t.equal(status, 503)
  },
)

t.test('@fastify/under-pressure after the plugin answers only those who may call', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(googleIdToken, options)
  await app.register(underPressure, {
    healthCheck: () => Promise.resolve(false),
    healthCheckInterval: 1_000_000,
  })
  app.get('/profiles', () => ({}))
  t.equal((await app.inject({ url: '/profiles' })).statusCode, 401)
  const headers = { authorization: await bearer(LOGIN) }
  t.equal((await app.inject({ url: '/profiles', headers })).statusCode, 503)
})
