import Fastify from 'fastify'
import pino from 'pino'
import t, { type Test } from 'tap'
import { googleIdToken as expressGuard } from '../../src/express.ts'
import googleIdToken, { createVerifier } from '../../src/index.ts'
import { capturedLog } from '../helpers/captured-log.ts'
import { issuer } from '../helpers/issuer.ts'

const HOST = 'profiles-abc-uc.a.run.app'
const WARNING = `the audience ${HOST} has no https://, and matches no token that is for https://${HOST}; leave it only if it is a custom audience, spelled like this`

const { jwks } = issuer
const allowedCallers = ['login@shop-prod.iam.gserviceaccount.com']
const options = { audience: HOST, jwks, allowedCallers }

/** What the process is warned of while something runs. */
async function processWarnings(t: Test, run: () => unknown): Promise<unknown[]> {
  const results = t.capture(process, 'emitWarning')
  await run()
  return results().map(({ args: [message, how] }) => [message, how])
}

t.test('an audience that looks like a host is warned of', (t) => {
  const looksLikeHost = (audience: string): boolean => {
    const log = capturedLog()
    createVerifier({ audience, jwks, logger: pino(log.stream) })
    return log.lines().length > 0
  }
  for (const audience of [
    HOST,
    'profiles.example.com',
    'profiles.example.com/',
    'profiles.example.com/path',
    'profiles.example.com:8443',
    'Profiles.Example.COM',
  ]) {
    t.ok(looksLikeHost(audience), audience)
  }
  for (const audience of [
    `https://${HOST}`,
    'http://localhost:8080',
    '32555940559.apps.googleusercontent.com',
    'profiles',
    'profiles.v1',
    'urn:shop:profiles',
    '/projects/123/global/backendServices/456',
    '//iam.googleapis.com/projects/1',
  ]) {
    t.notOk(looksLikeHost(audience), audience)
  }
  t.end()
})

t.test('so it is in the policy of a route, once', async (t) => {
  const log = capturedLog()
  const app = Fastify({ logger: { stream: log.stream } })
  t.after(() => app.close())
  app.register(googleIdToken, { ...options, audience: 'profiles' })
  app.get('/x', { config: { idToken: { audience: HOST } } }, () => ({}))
  app.get('/y', { config: { idToken: { audience: ['other', HOST] } } }, () => ({}))
  await app.ready()
  t.match(log.lines(), [{ level: 40, msg: WARNING }])

  const express = capturedLog()
  const auth = expressGuard({ ...options, audience: 'profiles', logger: pino(express.stream) })
  auth.allow(allowedCallers, { audience: HOST })
  auth.optional()
  t.match(express.lines(), [{ level: 40, msg: WARNING }])
})

t.test('the audience of all routes is warned of once, and not for each of them', async (t) => {
  const log = capturedLog()
  const app = Fastify({ logger: { stream: log.stream } })
  t.after(() => app.close())
  app.register(googleIdToken, options)
  app.get('/x', () => ({}))
  app.get('/y', { config: { idToken: { optional: true } } }, () => ({}))
  await app.ready()
  t.match(log.lines(), [{ msg: WARNING }])
  t.equal(log.lines().length, 1)

  const express = capturedLog()
  const auth = expressGuard({ ...options, logger: pino(express.stream) })
  auth.allow(allowedCallers)
  auth.optional()
  t.match(express.lines(), [{ msg: WARNING }])
  t.equal(express.lines().length, 1)
})

t.test('where no logger is on, the process is warned', async (t) => {
  for (const logger of [false, undefined, { level: 'silent' }]) {
    const warnings = await processWarnings(t, async () => {
      const app = Fastify(logger === undefined ? {} : { logger })
      await app.register(googleIdToken, options)
      await app.close()
    })
    t.strictSame(warnings, [[WARNING, { type: 'GoogleIdTokenWarning' }]])
  }
  t.strictSame(await processWarnings(t, () => expressGuard(options)), [
    [WARNING, { type: 'GoogleIdTokenWarning' }],
  ])

  const log = capturedLog()
  const warned = await processWarnings(t, async () => {
    const app = Fastify({ logger: { stream: log.stream } })
    await app.register(googleIdToken, options)
    await app.close()
  })
  t.strictSame(warned, [], 'with a logger it is for the log')
  t.match(log.lines(), [{ msg: WARNING }])

  const filtered = await processWarnings(t, async () => {
    const app = Fastify({ logger: { level: 'error', stream: log.stream } })
    await app.register(googleIdToken, options)
    await app.close()
  })
  t.strictSame(filtered, [], 'a logger that is on decides what it drops')
})

t.test(
  'without a logger, what goes wrong later reaches the process with its details',
  async (t) => {
    const verifier = createVerifier({
      audience: 'profiles',
      fetch: () => Promise.reject(new Error('connect ECONNREFUSED')),
    })
    const warnings = await processWarnings(t, () => t.rejects(verifier.ready()))
    verifier.close()
    t.match(warnings, [[String, { type: 'GoogleIdTokenWarning', detail: /ECONNREFUSED/ }]])
  },
)
