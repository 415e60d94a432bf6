/**
 * Routes of an app that was made before the package was imported. Their process is in
 * `startup.test.ts`; here the package gets no notice of the app.
 */
import { channel, type Channel } from 'node:diagnostics_channel'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken from '../../../src/index.ts'
import { capturedLog, type CapturedLog } from '../../helpers/captured-log.ts'
import { issuer } from '../../helpers/issuer.ts'
import { audience, login } from '../../helpers/shop.ts'

const withoutList = { audience, jwks: issuer.jwks }
const options = { ...withoutList, allowedCallers: [login] }
const handler = (): object => ({})
const headers = { authorization: `Bearer ${await issuer.idToken({ email: login, audience })}` }

/** An app that Fastify announces to nobody. */
function earlyApp(t: Test): { readonly app: FastifyInstance; readonly log: CapturedLog } {
  const log = capturedLog()
  const announced: Partial<Pick<Channel, 'publish'>> = channel('fastify.initialization')
  announced.publish = () => undefined
  const app = Fastify({ logger: { stream: log.stream } })
  delete announced.publish
  t.teardown(() => app.close())
  return { app, log }
}

const warned = ({ lines }: CapturedLog): unknown[] =>
  lines()
    .filter(({ level }) => level === 40)
    .map(({ msg }) => msg)

t.test('routes that are not known are warned of, and guarded', async (t) => {
  const { app, log } = earlyApp(t)
  app.get('/early', handler)
  await app.register(googleIdToken, options)
  await app.ready()
  t.match(warned(log), [/^routes were declared before fastify-google-id-token was loaded: /])
  t.equal(warned(log).length, 1, 'and not that there is no route')
  t.strictSame(app.listAllowedCallers(), [])
  t.equal((await app.inject('/early')).statusCode, 401)
  t.equal((await app.inject({ url: '/early', headers })).statusCode, 200)
})

t.test('an app without such routes is not warned of any', async (t) => {
  const { app, log } = earlyApp(t)
  await app.register(googleIdToken, options)
  app.get('/late', handler)
  await app.ready()
  t.strictSame(warned(log), [])
  t.match(app.listAllowedCallers(), [{ url: '/late' }])
})

t.test('what cannot be checked at start lets nobody in, and the log says why', async (t) => {
  const idToken = { allowedCaller: [login] } as object
  for (const [plugin, config, reason] of [
    [
      options,
      { idToken },
      /^Option GET \/early config\.idToken\.allowedCaller is .* only the names/,
    ],
    [withoutList, {}, /^Option GET \/early config\.idToken\.allowedCallers is missing; /],
  ] as const) {
    const { app, log } = earlyApp(t)
    app.get('/early', { config }, handler)
    await app.register(googleIdToken, plugin)
    const response = await app.inject({ url: '/early', headers })
    t.strictSame(response.json(), {
      statusCode: 500,
      error: 'Internal Server Error',
      message: 'This route has no valid rule for who may call it',
    })
    const logged = log.lines().find(({ level }) => level === 50)?.err as { message: string }
    const [said, because = ''] = logged.message.split(/: (?=Option)/)
    t.equal(said, 'This route has no valid rule for who may call it')
    t.match(because, reason)
  }
})
