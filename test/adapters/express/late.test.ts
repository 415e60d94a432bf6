/** What becomes of Express guards after their app has started: late refusals, their logs, and the end. */
import { once } from 'node:events'
import express, { type ErrorRequestHandler } from 'express'
import t from 'tap'
import { googleIdToken, type GoogleIdToken, type GuardOptions } from '../../../src/express.ts'
import { IdTokenError } from '../../../src/index.ts'
import { silent, warnings } from '../../helpers/captured-log.ts'
import { issuer } from '../../helpers/issuer.ts'
import { audience, login } from '../../helpers/shop.ts'
import { deferred } from '../../helpers/waiting.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }
const authorization = `Bearer ${await issuer.idToken({ email: login, audience })}`

/** Guards whose keys come from this `fetch`. */
const fetching = (fetch: GuardOptions['fetch']): GoogleIdToken =>
  googleIdToken({ ...options, jwks: undefined, fetch, logger: silent })

t.test('the number of refusals that are not logged goes to the logger of the app', (t) => {
  for (const hasLogger of [true, false]) {
    const [ofApp, ofRequests] = [warnings(), warnings()]
    const auth = googleIdToken({ ...options, logger: hasLogger ? ofApp.logger : undefined })
    const request = { headers: {}, method: 'GET', url: '/', log: ofRequests.logger }
    const response = { setHeader: () => undefined, headersSent: false }
    for (let n = 0; n < 12; n += 1) auth(request as never, response as never, () => undefined)
    auth.verifier.close()
    const number = { message: '2 more ID tokens refused in the last minute' }
    t.match(ofApp.lines, hasLogger ? [number] : [], 'if it has one')
    t.equal(ofRequests.lines.length, hasLogger ? 10 : 11)
    t.match(ofRequests.lines[10], hasLogger ? undefined : number)
  }
  t.end()
})

t.test('a maker of guards that is used as a guard says so without any logger too', (t) => {
  const auth = googleIdToken(options)
  for (const name of ['allow', 'optional'] as const) {
    const used = auth[name] as unknown as (...given: unknown[]) => unknown
    t.throws(() => used({ headers: {} }, {}, () => undefined), {
      code: 'ID_TOKEN_OPTION_INVALID',
      message: `auth.${name} is not a middleware but makes one: call it, as in app.use(auth.${name}([...]))`,
    })
  }
  t.end()
})

t.test('a refusal that comes after the answer of the app is still a refusal', async (t) => {
  const failed = deferred()
  const refused = deferred()
  let refusal: unknown
  const app = express()
  app.use((_request, response, next) => {
    next()
    response.status(504).end()
  })
  app.use(
    fetching(async () => {
      await failed.promise
      throw new Error('connect ECONNREFUSED')
    }),
  )
  const noteError: ErrorRequestHandler = (error, _request, response, next) => {
    refusal = error
    refused.resolve()
    if (!response.headersSent) next(error)
  }
  app.use(noteError)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization } })
  t.equal(response.status, 504)
  failed.resolve()
  await refused.promise
  t.ok(refusal instanceof IdTokenError)
  t.match(refusal, { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
})

t.test('verifier.close() ends the fetch of keys, and nothing is fetched afterwards', async (t) => {
  const signals: unknown[] = []
  const { verifier } = fetching((_url, init) => {
    signals.push(init?.signal)
    return new Promise(() => undefined)
  })
  const waiting = verifier.ready()
  verifier.close()
  t.match(signals, [{ aborted: true }])
  const closed = { code: 'ID_TOKEN_KEYS_UNAVAILABLE', detail: { found: 'the verifier was closed' } }
  await t.rejects(waiting, closed)
  await t.rejects(verifier.ready(), closed)
  t.equal(signals.length, 1)
})
