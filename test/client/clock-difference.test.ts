import Fastify from 'fastify'
import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { durationInWords } from '../../src/pacing/duration-in-words.ts'
import googleIdToken from '../../src/index.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { warnings } from '../helpers/captured-log.ts'
import { countingCredentials, errorOf, settled } from '../helpers/client-helpers.ts'
import { startService } from '../helpers/recording-service.ts'
import { audience as url, login } from '../helpers/shop.ts'
import { stopMonotonicClock, stoppedClock } from '../helpers/stopped-clock.ts'
import { testKey } from '../helpers/issuer.ts'

stopMonotonicClock(t)

/** The clock of a machine whose time differs from that of the world. */
function machine(world: () => Date, aheadSeconds: number): () => Date {
  return () => new Date(world().getTime() + aheadSeconds * 1000)
}

t.test('a clock two hours ahead: calls go on, paced and with one warning', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  const { idToken } = createServiceClient({ url, auth, logger, clock: machine(clock, 7200) })
  const first = await idToken()
  for (let call = 0; call < 200; call += 1) {
    t.type(await idToken(), 'string')
    if (call % 20 === 0) await settled()
  }
  t.ok(auth.calls <= 6, `${auth.calls} token requests for 201 calls at one moment`)
  t.match(lines, [
    {
      finding: { audience: url, expiredSecondsAgo: 3600, issuedSecondsAgo: 7200 },
      message: /expired 1 hour before it came: that clock is 2 hours ahead, or the source/,
    },
  ])
  const before = auth.calls
  for (let second = 0; second < 3000; second += 1) {
    pass(1)
    await idToken()
    if (second % 10 === 0) await settled()
  }
  const inAnHour = auth.calls - before
  t.ok(
    inAnHour > 20 && inAnHour < 300,
    `${inAnHour} token requests in 50 minutes of a call a second`,
  )
  t.not(await idToken(), first, 'the newest token is sent')
  t.equal(lines.length, 1, 'one warning an episode')
})

t.test('a service accepts the calls of a machine two hours ahead', async (t) => {
  const { clock, pass } = stoppedClock()
  const issuer = await createTestIssuer({ key: testKey, clock })
  let fetched = 0
  const auth = {
    async fetchIdToken(audience: string) {
      fetched += 1
      return issuer.idToken({ audience, email: login })
    },
  }
  const app = Fastify()
  await app.register(async (app) => {
    const allowedCallers = [login]
    await app.register(googleIdToken, { audience: url, allowedCallers, jwks: issuer.jwks, clock })
    app.get('/', () => 'ok')
  })
  const service = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { logger } = warnings()
  const { fetch } = createServiceClient({
    url: service,
    audience: url,
    auth,
    logger,
    clock: machine(clock, 7200),
  })
  for (let call = 0; call < 20; call += 1) {
    t.equal((await fetch('/')).status, 200)
    pass(1)
  }
  // Nobody has called for a night: what came before it is not good any more.
  pass(8 * 3600)
  const before = fetched
  t.equal((await fetch('/', { method: 'GET' })).status, 200)
  t.equal(fetched, before + 1, 'one token, and no 401 on the way')
})

t.test('a source of expired tokens', async (t) => {
  const { clock } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  auth.expiresIn = -30
  const service = await startService(t, (_, response) => {
    response.writeHead(401).end('expired')
  })
  const { logger, lines } = warnings()
  const { fetch } = createServiceClient({ url: service.url, auth, clock, logger })
  for (let call = 0; call < 50; call += 1) {
    const response = await fetch('/')
    t.equal(response.status, 401)
    t.equal(await response.text(), 'expired', 'the answer of the service is the answer')
    await settled()
  }
  // One at first, five by the budget for tokens that a service refuses, and some after pauses.
  t.ok(auth.calls <= 12, `${auth.calls} token requests for 50 calls`)
  t.match(lines, [{ message: /expired 30 seconds before it came.*1 hour ahead, or the source/ }])
})

t.test('if exp is past but iat is right, the warning names only the source', async (t) => {
  const { clock } = stoppedClock()
  const issuer = await createTestIssuer({ key: testKey, clock })
  const now = Math.floor(clock().getTime() / 1000)
  const auth = {
    fetchIdToken: (audience: string) =>
      issuer.idToken({ audience, claims: { iat: now, exp: now - 1 } }),
  }
  const { logger, lines } = warnings()
  await createServiceClient({ url, auth, clock, logger }).idToken()
  t.match(lines, [
    { message: /By the clock of this machine.* it came: the source of the tokens gives/ },
  ])
})

t.test('a token that does not say when it was issued', async (t) => {
  const { clock } = stoppedClock()
  const issuer = await createTestIssuer({ key: testKey, clock })
  const auth = {
    fetchIdToken: (audience: string) =>
      issuer.idToken({ audience, expiresIn: -7200, claims: { iat: undefined } }),
  }
  const { logger, lines } = warnings()
  await createServiceClient({ url, auth, clock, logger }).idToken()
  t.match(lines, [{ message: /clock is 3 hours ahead/ }])
  auth.fetchIdToken = (audience) => issuer.idToken({ audience, claims: { iat: 'today' } })
  const silent = warnings()
  await createServiceClient({ url, auth, clock, logger: silent.logger }).idToken()
  t.same(silent.lines, [])
})

t.test('a clock two hours behind: a token is replaced before it has really expired', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  const { idToken } = createServiceClient({ url, auth, logger, clock: machine(clock, -7200) })
  const first = await idToken()
  pass(3200)
  t.equal(await idToken(), first)
  await settled()
  t.equal(auth.calls, 1)
  pass(200)
  t.equal(await idToken(), first)
  await settled()
  t.not(await idToken(), first, 'in the background, before the hour is over')
  t.equal(auth.calls, 2)
  t.match(lines, [
    {
      finding: { audience: url, clockBehindSeconds: 7200 },
      message:
        /clock of this machine is 2 hours behind: by that clock, a new ID token was issued in the future/,
    },
  ])
  t.equal(lines.length, 1)
})

t.test('a small difference of clocks is none', async (t) => {
  const { clock } = stoppedClock()
  for (const aheadSeconds of [-59, 0, 59, 3000]) {
    const auth = await countingCredentials(t, clock)
    const { logger, lines } = warnings()
    const client = createServiceClient({ url, auth, logger, clock: machine(clock, aheadSeconds) })
    await client.idToken()
    await client.idToken()
    await settled()
    t.same([auth.calls, lines.length], [1, 0])
  }
})

t.test('once the clock is right, tokens are kept, and a new difference warns again', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  let ahead = 7200
  const { idToken } = createServiceClient({
    url,
    auth,
    logger,
    clock: () => machine(clock, ahead)(),
  })
  await idToken()
  t.equal(lines.length, 1)
  ahead = 0
  pass(7200 + 61)
  await idToken()
  await settled()
  const good = await idToken()
  const { calls } = auth
  pass(100)
  t.equal(await idToken(), good)
  await settled()
  t.equal(auth.calls, calls, 'a good token is kept')
  ahead = 7200
  await idToken()
  await settled()
  t.equal(lines.length, 2)
})

t.test('a clock that is set back', async (t) => {
  const { clock } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  let ahead = 0
  const { idToken } = createServiceClient({
    url,
    auth,
    logger,
    clock: () => machine(clock, ahead)(),
  })
  await idToken()
  ahead = -7200
  await idToken()
  await settled()
  t.equal(auth.calls, 2, 'the times of the current token mean nothing any more')
  t.match(lines, [{ message: /2 hours behind/ }])
  await idToken()
  await settled()
  t.equal(auth.calls, 2)
})

t.test('an expired token does not take the place of a good one', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger, lines } = warnings()
  const { idToken } = createServiceClient({ url, auth, logger, clock })
  const good = await idToken()
  auth.expiresIn = -30
  pass(3400)
  await idToken()
  await settled()
  t.equal(auth.calls, 2)
  t.equal(await idToken(), good)
  t.match(lines, [{ message: /expired 30 seconds before it came/ }])
  pass(200)
  t.not(await idToken(), good, 'it does once the other has expired as well')
})

t.test('a source that fails after it gave an expired token', async (t) => {
  const { clock, pass } = stoppedClock()
  const auth = await countingCredentials(t, clock)
  const { logger } = warnings()
  const { idToken } = createServiceClient({ url, auth, logger, clock: machine(clock, 7200) })
  const token = await idToken()
  auth.answer = () => Promise.reject(new Error('gone'))
  pass(61)
  t.equal(await idToken(), token, 'what there is goes on')
  await settled()
  t.equal(await idToken(), token)
  pass(3600)
  t.match(await errorOf(idToken()), {
    code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
    detail: { reason: 'gone' },
  })
})

t.test('a time in words', async (t) => {
  for (const [seconds, words] of [
    [0, '0 seconds'],
    [0.4, '0 seconds'],
    [1, '1 second'],
    [90, '1 minute 30 seconds'],
    [3600, '1 hour'],
    [7199, '1 hour 59 minutes'],
    [7200.9, '2 hours'],
    [90_000, '1 day 1 hour'],
    [90_059, '1 day 1 hour'],
    [172_801, '2 days'],
  ] as const) {
    t.equal(durationInWords(seconds), words)
  }
})
