/** No part of a token that a process gets leaves it: client, proxy, emulator, Cloud Run's front end. */
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createServiceClient } from '../../../src/client.ts'
import guardFastify from '../../../src/index.ts'
import {
  startCloudRunFrontend,
  startGoogleEmulator,
  type GoogleEmulator,
} from '../../../src/testing.ts'
import { capturedLog } from '../../helpers/captured-log.ts'
import { runVerb } from '../../helpers/command-line.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { assertNoSecrets, collectOutputs } from '../../helpers/outputs.ts'
import { audience, login } from '../../helpers/shop.ts'

process.env.K_SERVICE = 'user-profiles'

const collected = collectOutputs(t)
const { outputs, telemetry, secrets } = collected

/** Runs a verb that serves, until `use` has used the URL that it prints. */
async function serveVerb(
  args: readonly string[],
  use: (url: string) => Promise<unknown>,
): Promise<void> {
  let stop: () => void = () => undefined
  let used: Promise<unknown> | undefined
  const interrupted = new Promise<void>((resolve) => {
    stop = resolve
  })
  const { stdout, stderr } = await runVerb(args, {
    interrupted,
    onOutput: (text) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? []
      if (url !== undefined) used ??= use(url).finally(stop)
    },
  })
  await used
  outputs.add(`${args[0] ?? ''} of the command`, stdout + stderr)
}

const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity'

/** The verbs that get tokens: `token` prints its token, and no part of it anywhere else. */
async function runTokenVerbs(t: Test, google: GoogleEmulator, target: string): Promise<void> {
  for (const args of [[], ['--json']]) {
    const ran = await runVerb(['token', '--audience', audience, '--emulator', google.url, ...args])
    secrets.add('token', /[\w-]+\.[\w-]+\.[\w-]+/.exec(ran.stdout)?.[0] ?? '')
    outputs.add('token of the command', ran.stderr)
    await serveVerb(['emulator', '--service-account', login, ...args], async (url) => {
      const headers = { 'metadata-flavor': 'Google' }
      const answer = await fetch(`${url}${IDENTITY}?audience=${audience}`, { headers })
      const token = await answer.text()
      secrets.add('emulator', token)
      await fetch(`${url}/tokeninfo?id_token=${token}`)
      await fetch(`${url}/no/${token}`, { headers: { authorization: `Bearer ${token}` } })
    })
  }
  setEnvironment(t, google.env)
  await serveVerb(['proxy', target, '--audience', audience, '--port', '0'], async (url) => {
    for (const path of ['/', '/failing', '/broken']) {
      const answered = await fetch(new URL(path, url)).catch((error: unknown) => error)
      outputs.error('answers of the proxy', answered)
      if (answered instanceof Response) outputs.add('answers of the proxy', await answered.text())
    }
  })
}

/** Emulator, Cloud Run's front end and client: the token of each call, and all that is said of it. */
async function callThroughGoogle(t: Test): Promise<void> {
  const google = await startGoogleEmulator({ serviceAccount: login })
  t.teardown(() => google.close())
  const log = capturedLog()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  const uri = google.jwksUri
  app.register(guardFastify, {
    audience,
    allowedCallers: [login],
    jwksUri: uri,
    auditLog: true,
    refusalLog: 'all',
    ...telemetry,
  })
  app.get('/', (request) => ({ caller: request.caller }))
  // The tokens that the proxy gets are known only here.
  app.addHook('onRequest', (request, _reply, done) => {
    for (const name of ['authorization', 'x-serverless-authorization']) {
      secrets.add('arrived', String(request.headers[name]))
    }
    done()
  })
  app.get('/failing', () => {
    throw new Error('of the service')
  })
  app.get('/away', (_request, reply) => reply.redirect('https://elsewhere.example/'))
  app.get('/broken', (_request, reply) => {
    reply.raw.destroy()
    return reply
  })
  const target = await app.listen({ port: 0, host: '127.0.0.1' })
  const front = await startCloudRunFrontend({
    target,
    jwksUri: uri,
    audience,
    invokers: [login],
  })
  t.teardown(() => front.close())

  let given = 0
  const sent: string[] = []
  const bad = [
    (token: string) => `${token}.${token}`,
    (token: string) => `Bearer ${token}`,
    (token: string) => `${token}\u0000`,
    (token: string) => JSON.stringify({ token }),
  ]
  // One for each client: clients that share their credentials share the token.
  const newCredentials = () => ({
    fetchIdToken: async () => {
      const token = await google.idToken({ email: login, audience })
      secrets.add('client', token)
      sent.push(token)
      given += 1
      return given % 3 === 0 ? (bad[given % bad.length]?.(token) ?? token) : token
    },
  })
  for (const url of [target, front.url]) {
    for (let call = 0; call < 12; call += 1) {
      const client = createServiceClient({
        url: audience,
        auth: newCredentials(),
        logger: {
          warn: (...entry: unknown[]) => {
            outputs.add('log of the client', entry)
          },
        },
        fetch: (input, init) => {
          const path = new URL(input instanceof Request ? input.url : input).pathname
          return fetch(new URL(path, url), init)
        },
      })
      for (const path of ['/', '/failing', '/away', '/broken', 'https://other.example/']) {
        const answered = await client.fetch(path).catch((error: unknown) => error)
        outputs.error('errors of the client', answered)
        if (answered instanceof Response)
          outputs.add('answers of the front end', await answered.text())
      }
      outputs.add('client', client)
      client.close()
    }
  }
  t.ok(given >= 24, 'each client has got a token, or something like one')
  await runTokenVerbs(t, google, target)
  for (const token of sent) {
    await fetch(`${google.url}/tokeninfo?id_token=${token}`).then((response) => response.text())
  }
  outputs.add('requests of the emulator', [...google.requests])
  outputs.add('requests of the emulator', JSON.stringify(google.requests))
  await app.close()
  outputs.add('log of Fastify', log.text())
}

t.test('no output of a call holds a part of its token', async (t) => {
  await callThroughGoogle(t)
  const places = [
    'log of Fastify',
    'errors of the client',
    'answers of the front end',
    'requests of the emulator',
    'emulator of the command',
    'proxy of the command',
    'answers of the proxy',
    'metrics',
    'spans',
    'channel token:verified',
    'channel token:rejected',
  ]
  assertNoSecrets(t, collected, { places, parts: 1000 })
})
