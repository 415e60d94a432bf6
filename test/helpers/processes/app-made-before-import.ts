/** A process that makes its app, and routes, before it has imported this package. */
import Fastify, { type FastifyInstance } from 'fastify'
import { issuer } from '../issuer.ts'
import { capturedLog } from '../captured-log.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const login = 'login@shop-prod.iam.gserviceaccount.com'
const bearer = async (email: string) => `Bearer ${await issuer.idToken({ email, audience })}`

const log = capturedLog()

function makeApp(): FastifyInstance {
  const app = Fastify({ logger: { level: 'warn', stream: log.stream } })
  app.get('/early', () => ({}))
  app.get('/misspelt', { config: { idToken: { allowedCaller: [login] } } }, () => ({}))
  return app
}

const withList = makeApp()
const withoutList = makeApp()
const withScope = Fastify()
const withoutRoutes = Fastify({ logger: { level: 'warn', stream: log.stream } })
const { default: googleIdToken } = await import('../../../src/index.ts')
const options = { audience, allowedCallers: [login], jwks: issuer.jwks }
await withoutRoutes.register(googleIdToken, options)
withoutRoutes.get('/late', () => ({}))
await withoutRoutes.ready()
const warningsWithoutEarly = log.lines().map(({ msg }) => msg)
await withList.register(googleIdToken, options)
const warnings = log.lines().map(({ msg }) => msg)
withoutList.register(googleIdToken, { audience, jwks: issuer.jwks })
withList.get('/late', () => ({}))

// Registered in a scope of its own, which does not hold the route that comes after it.
await withScope.register(async (scope) => {
  await scope.register(googleIdToken, options)
})
withScope.get('/admin', { config: { idToken: { allowedCallers: [login] } } }, () => ({}))
const uncovered = await withScope.ready().then(
  () => null,
  (error: unknown) => (error as Error).message,
)

async function answers(app: FastifyInstance, url: string): Promise<object[]> {
  const tokens = [undefined, await bearer('signup@shop-prod.iam.gserviceaccount.com')]
  const headers = [...tokens, await bearer(login)].map((authorization) =>
    authorization === undefined ? {} : { authorization },
  )
  const responses = await Promise.all(headers.map((header) => app.inject({ url, headers: header })))
  return responses.map(({ statusCode, body }) => ({ statusCode, body }))
}

process.stdout.write(
  JSON.stringify({
    early: await answers(withList, '/early'),
    late: await answers(withList, '/late'),
    misspelt: await answers(withList, '/misspelt'),
    unlisted: await answers(withoutList, '/early'),
    uncovered,
    warningsWithoutEarly,
    warnings,
    listedWithoutEarly: withoutRoutes.listAllowedCallers().map(({ url }) => url),
    listed: withList.listAllowedCallers().map(({ url }) => url),
  }),
)
