/** Closing while requests wait for a fetch of keys that hangs. */
import { once } from 'node:events'
import { Agent, createServer, get, type RequestListener } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { well, type KeyServer } from '../../bench/faults/key-server.ts'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import googleIdToken, { createVerifier } from '../../src/index.ts'
import { silent as logger } from '../helpers/captured-log.ts'
import { keyServer } from '../helpers/remote-keys.ts'
import { login as email } from '../helpers/shop.ts'
import { until } from '../helpers/waiting.ts'
import { issuer } from '../helpers/issuer.ts'

const audience = 'https://search.run.app'
const valid = await issuer.idToken({ email, audience })
const unknownKid = await issuer.idToken({ email, audience, header: { kid: 'new' } })

function hang(server: KeyServer): void {
  server.answer = () => undefined
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** A request over a socket: its status, and whether the server keeps the connection. */
function ask(url: string, token: string, agent: Agent): Promise<[status: number, kept: unknown]> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: bearer(token) }, (response) => {
      response.resume().on('end', () => {
        resolve([response.statusCode ?? 0, response.headers.connection])
      })
    }).on('error', reject)
  })
}

/** Longer than any test may take: a test that waits for one of them fails. */
const PATIENT = { keepAliveTimeout: 600_000, fetchTimeout: 30 }

interface GuardedApp {
  readonly app: FastifyInstance
  readonly url: string
  /** Resolves when so many requests have come to the guard. */
  readonly arrived: (count: number) => Promise<void>
}

async function guardedApp(jwksUri: string, scoped: boolean): Promise<GuardedApp> {
  const { keepAliveTimeout, fetchTimeout } = PATIENT
  const app = Fastify({ keepAliveTimeout })
  const options = { audience, jwksUri, allowedCallers: [email], logger, fetchTimeout }
  const guard = (scope: FastifyInstance): void => {
    scope.register(googleIdToken, options)
    scope.get('/', () => 'ok')
  }
  if (scoped) {
    app.register((scope, _options, done) => {
      guard(scope)
      done()
    })
  } else {
    guard(app)
  }
  let count = 0
  app.server.on('request', () => {
    count += 1
  })
  return {
    app,
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    arrived: (awaited) => until(() => count === awaited),
  }
}

for (const [scope, scoped] of [
  ['the app', false],
  ['a scope', true],
] as const) {
  for (const keepAlive of [false, true]) {
    t.test(`app.close() does not wait for keys: ${scope}, keep-alive ${keepAlive}`, async (t) => {
      const server = await keyServer(t)
      const { app, url, arrived } = await guardedApp(server.uri, scoped)
      const agent = new Agent({ keepAlive })
      t.teardown(() => {
        agent.destroy()
      })
      await until(() => server.requests === 1)
      // With current keys, so that a connection is kept before the close.
      t.strictSame(await ask(url, valid, agent), [200, keepAlive ? 'keep-alive' : 'close'])
      hang(server)
      const waiting = Array.from({ length: 5 }, () => ask(url, unknownKid, agent))
      await arrived(1 + waiting.length)
      // It would take half a minute for the fetch, and ten for the connections.
      await app.close()
      t.strictSame(new Set((await Promise.all(waiting)).map(String)), new Set(['503,close']))
    })
  }
}

t.test('app.close() with requests that wait for the first keys, through fetch', async (t) => {
  const server = await keyServer(t)
  hang(server)
  const { app, url, arrived } = await guardedApp(server.uri, false)
  const waiting = Array.from({ length: 5 }, () => fetch(url, { headers: bearer(valid) }))
  await arrived(waiting.length)
  await app.close()
  for (const response of await Promise.all(waiting)) {
    t.equal(response.status, 503)
    t.match(response.headers.get('retry-after'), /^[1-9]/)
    t.match(await response.json(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  }
})

t.test('over HTTP/2 no answer names a connection', async (t) => {
  const warnings: unknown[] = []
  const warned = (warning: unknown): void => void warnings.push(warning)
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const server = await keyServer(t)
  hang(server)
  const app = Fastify({ http2: true })
  app.register(googleIdToken, { audience, jwksUri: server.uri, allowedCallers: [email], logger })
  app.get('/', () => 'ok')
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => {
    client.destroy()
  })
  const arrived = once(app.server, 'request')
  const stream = client.request({ ':path': '/', ...bearer(valid) })
  const answered = once(stream, 'response')
  await arrived
  const closed = app.close()
  const [headers] = (await answered) as [Record<string, unknown>]
  t.match(headers, { ':status': 503 })
  stream.resume()
  client.close()
  await closed
  t.strictSame(warnings, [], 'Node warns of such a header')
})

t.test('verifier.close() answers the requests that wait in Express', async (t) => {
  const server = await keyServer(t)
  hang(server)
  const app = express()
  const { fetchTimeout } = PATIENT
  const auth = guardExpress({
    audience,
    jwksUri: server.uri,
    allowedCallers: [email],
    logger,
    fetchTimeout,
  })
  app.get('/', auth, (_request, response) => {
    response.send('ok')
  })
  const service = createServer(app as RequestListener)
  await once(service.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => service.close())
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`
  const arrived = once(service, 'request')
  const waiting = ask(url, valid, new Agent())
  await arrived
  auth.verifier.close()
  t.match(await waiting, [503])
})

t.test('verifier.close() ends every wait; current keys stay usable', async (t) => {
  const server = await keyServer(t)
  const options = { audience, jwksUri: server.uri, logger, fetchTimeout: 30 }

  t.test('for an unknown kid', async (t) => {
    const verifier = createVerifier(options)
    await verifier.ready()
    hang(server)
    const { requests } = server
    const waiting = verifier.verifyAnyCaller(unknownKid)
    await until(() => server.requests === requests + 1)
    verifier.close()
    await t.rejects(waiting, { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.match(await verifier.verifyAnyCaller(valid), { email })
    t.match(verifier.verifyAnyCallerSync(valid), { email })
    server.answer = well
    await t.rejects(verifier.verifyAnyCaller(unknownKid), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.equal(server.requests, requests + 1, 'nothing is fetched afterwards')
  })

  t.test('for a key store that hangs', async (t) => {
    const warnings: object[] = []
    let loads = 0
    const keyStore = {
      load: () => {
        loads += 1
        return new Promise<null>(() => undefined)
      },
      save: () => Promise.resolve(),
    }
    const hanging = (): Promise<Response> => new Promise(() => undefined)
    const warn = (finding: object): void => void warnings.push(finding)
    const make = () => createVerifier({ ...options, fetch: hanging, keyStore, logger: { warn } })
    const verifier = make()
    const waiting = verifier.ready()
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    waiting.then(over, over)
    verifier.close()
    await new Promise(setImmediate)
    t.ok(isOver, 'at once')
    await t.rejects(waiting, {
      code: 'ID_TOKEN_KEYS_UNAVAILABLE',
      detail: { found: 'the verifier was closed' },
    })
    t.equal(loads, 1)
    const closed = make()
    closed.close()
    await t.rejects(closed.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.equal(loads, 1, 'nothing is loaded afterwards')
    t.strictSame(warnings, [], 'nobody is warned of it')
  })
})
