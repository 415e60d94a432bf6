/** No part of a token leaves the process, and none stays in it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import express from 'express'
import Fastify from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import {
  iapJwks,
  jwks,
  optionsOf,
  rawHeadersOf,
  rows,
  type FixtureRow,
} from '../../fixtures/rows.ts'
import { startKeyServer } from '../../bench/faults/key-server.ts'
import { createServiceClient } from '../../src/client.ts'
import { googleIdToken as guardExpress, type Meter } from '../../src/express.ts'
import guardFastify, { createVerifier, type GoogleIdTokenOptions } from '../../src/index.ts'
import {
  createTestIssuer,
  startCloudRunFrontend,
  startGoogleEmulator,
  type GoogleEmulator,
} from '../../src/testing.ts'
import { capturedLog } from '../helpers/captured-log.ts'
import { runVerb } from '../helpers/command-line.ts'
import { setEnvironment } from '../helpers/environment.ts'
import { testKey } from '../helpers/issuer.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { SecretParts } from '../helpers/secret-parts.ts'
import { requestWith } from '../helpers/timed-verifier.ts'

process.env.K_SERVICE = 'user-profiles'

const AUDIENCE = 'https://user-profiles-abc123-uc.a.run.app'
const IAP_AUDIENCE = '/projects/123456789012/apps/shop-prod'
const email = 'login@shop-prod.iam.gserviceaccount.com'

/** Everything that anybody outside may see, by where it was seen. */
class Outputs {
  readonly #texts = new Map<string, string[]>()

  add(place: string, value: unknown): void {
    const text =
      typeof value === 'string'
        ? value
        : inspect(value, { depth: 12, showHidden: true, maxStringLength: null })
    const texts = this.#texts.get(place) ?? []
    texts.push(text)
    this.#texts.set(place, texts)
  }

  error(place: string, error: unknown): void {
    this.add(place, error)
    this.add(place, JSON.stringify(error) ?? '')
    this.add(place, String(error))
    if (error instanceof Error) this.add(place, error.stack ?? '')
  }

  count(place: string): number {
    return this.#texts.get(place)?.length ?? 0
  }

  /** Each place with the secrets that it holds. */
  holding(secrets: SecretParts): Record<string, Record<string, string>> {
    const found = [...this.#texts].map(
      ([place, texts]) => [place, secrets.foundIn(texts.join('\n'))] as const,
    )
    return Object.fromEntries(
      found
        .filter(([, held]) => held.size > 0)
        .map(([place, held]) => [place, Object.fromEntries(held)]),
    )
  }
}

const outputs = new Outputs()
const secrets = new SecretParts()
for (const { name, headers } of rows) {
  for (const [, value] of headers) secrets.add(name, value)
}

for (const name of ['token:verified', 'token:rejected', 'keys:refreshed', 'keys:failed']) {
  subscribe(`fastify-google-id-token:${name}`, (message) => {
    outputs.add(`channel ${name}`, message)
    outputs.add(`channel ${name}`, JSON.stringify(message))
  })
}
// Express prints the errors that nothing has answered.
t.intercept(console, 'error', {
  value: (...printed: unknown[]) => {
    for (const one of printed) outputs.error('console', one)
  },
})
process.on('warning', (warning) => {
  outputs.error('process warnings', warning)
})

const meter: Meter = {
  createCounter: (...instrument) => ({
    add: (...measured) => {
      outputs.add('metrics', [instrument, measured])
    },
  }),
  createHistogram: (...instrument) => ({
    record: (...measured) => {
      outputs.add('metrics', [instrument, measured])
    },
  }),
  createObservableGauge: (...instrument) => ({
    addCallback: (callback) => {
      callback({
        observe: (...observed) => {
          outputs.add('metrics', [instrument, observed])
        },
      })
    },
    removeCallback: () => undefined,
  }),
}

const tracing: GoogleIdTokenOptions['tracing'] = {
  caller: true,
  trace: {
    getActiveSpan: () => ({
      setAttributes: (attributes) => {
        outputs.add('spans', attributes)
      },
    }),
  },
}

/** Options with everything turned on that tells anybody anything. */
function talkative(row: FixtureRow): GoogleIdTokenOptions {
  return { ...optionsOf(row), auditLog: true, refusalLog: 'all', meter, tracing }
}

/** A guarded server, and how it is closed. */
interface Served {
  readonly port: number
  readonly close: () => unknown
}

async function fastifyWith(row: FixtureRow, reportOnly: boolean): Promise<Served> {
  const log = capturedLog()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  app.register(guardFastify, { ...talkative(row), reportOnly })
  app.get('/', { config: { idToken: row.route } }, (request) => ({ caller: request.caller }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  outputs.add('stats', app.idTokenVerifier.stats())
  const close = async (): Promise<void> => {
    await app.close()
    outputs.add('log of Fastify', log.text())
  }
  return { port: (app.server.address() as AddressInfo).port, close }
}

async function expressWith(row: FixtureRow, reportOnly: boolean): Promise<Served> {
  const log = capturedLog()
  const logger = pino({ level: 'trace' }, log.stream)
  const auth = guardExpress({ ...talkative(row), reportOnly, logger })
  const app = express()
  const { optional, allowedCallers, audience } = row.route ?? {}
  const list = allowedCallers ?? row.options.allowedCallers ?? []
  const guard = optional ? auth.optional(list, { audience }) : auth.allow(list, { audience })
  app.get('/', guard, (request, response) => {
    response.json({ caller: request.caller ?? null })
  })
  const answerError: express.ErrorRequestHandler = (error, _request, response, next) => {
    outputs.error('errors of Express', error)
    logger.error(error, 'what an error handler logs')
    // What Express itself answers, which in development holds the stack.
    next(error)
    void response
  }
  app.use(answerError)
  const server = createServer(app as RequestListener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = (): void => {
    server.close()
    auth.verifier.close()
    outputs.add('log of Express', log.text())
  }
  return { port: (server.address() as AddressInfo).port, close }
}

async function sendRows(): Promise<void> {
  for (const row of rows) {
    for (const [name, start] of [
      ['Fastify', fastifyWith],
      ['Express', expressWith],
    ] as const) {
      for (const reportOnly of [false, true]) {
        const app = await start(row, reportOnly)
        // A token is remembered from its second use on.
        for (let use = 0; use < 3; use += 1) {
          const answer = await rawRequest(app.port, { headers: row.headers })
          outputs.add(`answers of ${name}`, JSON.stringify(answer))
        }
        await app.close()
      }
    }
  }
}

async function explainRows(): Promise<void> {
  for (const row of rows) {
    const verifier = createVerifier({
      ...optionsOf(row),
      meter,
      logger: {
        warn: (...entry: unknown[]) => {
          outputs.add('log of the verifier', entry)
        },
      },
    })
    const request = () => requestWith(...rawHeadersOf(row))
    const told = await verifier.explain(request(), row.route).catch((error: unknown) => error)
    outputs.error('explain', told)
    for (const [, value] of row.headers) {
      const token = value.split(' ').at(-1) ?? ''
      outputs.error('explain', await verifier.explain(token).catch((error: unknown) => error))
      const ended = await verifier.verifyAnyCaller(token).catch((error: unknown) => error)
      outputs.error('errors of the verifier', ended)
    }
    outputs.add('stats', verifier.stats())
    verifier.close()
  }
}

async function runVerbs(t: Test): Promise<void> {
  const [idTokens, assertions] = await Promise.all(
    [jwks, iapJwks].map((set) => startKeyServer(set)),
  )
  t.teardown(() => Promise.all([idTokens?.close(), assertions?.close()]))
  const keys = [
    ...['--audience', AUDIENCE, '--jwks-uri', idTokens?.uri ?? ''],
    ...['--iap-audience', IAP_AUDIENCE, '--iap-jwks-uri', assertions?.uri ?? ''],
  ]
  for (const row of rows) {
    const [, header = ''] = row.headers.at(0) ?? []
    const token = header.split(' ').at(-1) ?? ''
    const head = row.headers.map(([name, value]) => `${name}: ${value}`).join('\r\n')
    for (const stdin of [token, header, `GET / HTTP/1.1\r\n${head}\r\n\r\n`]) {
      for (const json of [[], ['--json']]) {
        const ran = await runVerb(['explain', ...keys, ...json], { stdin })
        outputs.add('explain of the command', ran.stdout + ran.stderr)
      }
    }
  }
  const log = rows.map(({ headers }) => JSON.stringify({ idToken: 1, headers })).join('\n')
  const proposed = await runVerb(['allow', '-', '--progress'], { stdin: log })
  outputs.add('allow of the command', proposed.stdout + proposed.stderr)
  const bound = await runVerb(['iam', '-'], { stdin: log })
  outputs.add('iam of the command', bound.stdout + bound.stderr)
}

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
    const ran = await runVerb(['token', '--audience', AUDIENCE, '--emulator', google.url, ...args])
    secrets.add('token', /[\w-]+\.[\w-]+\.[\w-]+/.exec(ran.stdout)?.[0] ?? '')
    outputs.add('token of the command', ran.stderr)
    await serveVerb(['emulator', '--service-account', email, ...args], async (url) => {
      const headers = { 'metadata-flavor': 'Google' }
      const answer = await fetch(`${url}${IDENTITY}?audience=${AUDIENCE}`, { headers })
      const token = await answer.text()
      secrets.add('emulator', token)
      await fetch(`${url}/tokeninfo?id_token=${token}`)
      await fetch(`${url}/no/${token}`, { headers: { authorization: `Bearer ${token}` } })
    })
  }
  setEnvironment(t, google.env)
  await serveVerb(['proxy', target, '--audience', AUDIENCE, '--port', '0'], async (url) => {
    for (const path of ['/', '/failing', '/broken']) {
      const answered = await fetch(new URL(path, url)).catch((error: unknown) => error)
      outputs.error('answers of the proxy', answered)
      if (answered instanceof Response) outputs.add('answers of the proxy', await answered.text())
    }
  })
}

/** Emulator, Cloud Run's front end and client: the token of each call, and all that is told of it. */
async function callThroughGoogle(t: Test): Promise<void> {
  const google = await startGoogleEmulator({ serviceAccount: email })
  t.teardown(() => google.close())
  const log = capturedLog()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  const uri = google.jwksUri
  app.register(guardFastify, {
    audience: AUDIENCE,
    allowedCallers: [email],
    jwksUri: uri,
    auditLog: true,
    refusalLog: 'all',
    meter,
    tracing,
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
    audience: AUDIENCE,
    invokers: [email],
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
  const idTokenClient = {
    fetchIdToken: async () => {
      const token = await google.idToken({ email, audience: AUDIENCE })
      secrets.add('client', token)
      sent.push(token)
      given += 1
      return given % 3 === 0 ? (bad[given % bad.length]?.(token) ?? token) : token
    },
  }
  for (const url of [target, front.url]) {
    for (let call = 0; call < 12; call += 1) {
      const client = createServiceClient({
        url: AUDIENCE,
        auth: idTokenClient,
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
  await runTokenVerbs(t, google, target)
  for (const token of sent) {
    await fetch(`${google.url}/tokeninfo?id_token=${token}`).then((response) => response.text())
  }
  outputs.add('requests of the emulator', [...google.requests])
  outputs.add('requests of the emulator', JSON.stringify(google.requests))
  await app.close()
  outputs.add('log of Fastify', log.text())
}

t.test('no output of any adapter, verb or emulator holds a part of a signature', async (t) => {
  const planted = `a line with ${rows.find(({ name }) => name === 'header/authorization')?.headers[0]?.[1] ?? ''}`
  t.ok(secrets.foundIn(planted).size > 0, 'what is looked for is found where it is')
  await sendRows()
  await explainRows()
  await runVerbs(t)
  await callThroughGoogle(t)
  t.strictSame(outputs.holding(secrets), {})
  const places = [
    'answers of Fastify',
    'answers of Express',
    'log of Fastify',
    'log of Express',
    'errors of Express',
    'explain',
    'errors of the verifier',
    'explain of the command',
    'metrics',
    'spans',
    'channel token:verified',
    'channel token:rejected',
    'errors of the client',
    'answers of the front end',
    'requests of the emulator',
    'emulator of the command',
    'proxy of the command',
    'answers of the proxy',
  ]
  t.strictSame(
    places.filter((place) => outputs.count(place) === 0),
    [],
    'each place has told something',
  )
  t.ok(secrets.size > 50_000, `${secrets.size} parts`)
})

/** A guarded process, with the ports of its servers. */
async function startChild(options: object): Promise<{
  readonly child: ChildProcess
  readonly ports: readonly number[]
  readonly nextLine: () => Promise<string>
}> {
  const file = fileURLToPath(new URL('../helpers/processes/requests-then-heap.ts', import.meta.url))
  const args = [...process.execArgv, '--expose-gc', file, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => ((await lines.next()) as { value: string }).value
  return { child, ports: JSON.parse(await nextLine()) as number[], nextLine }
}

t.test('after the requests no signature is left in the heap', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-google-id-token-heap-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const issuer = await createTestIssuer({ key: testKey })
  const options = {
    audience: AUDIENCE,
    allowedCallers: [email],
    jwks: issuer.jwks,
    iap: { audience: IAP_AUDIENCE, jwks: issuer.iapJwks },
    auditLog: true,
    refusalLog: 'all',
  }
  const { child, ports, nextLine } = await startChild(options)
  t.teardown(() => child.kill())

  const signatures = new SecretParts()
  const tokens = await Promise.all(
    Array.from({ length: 40 }, (_, number) =>
      issuer.idToken({
        email: number % 4 === 0 ? 'search@shop-prod.iam.gserviceaccount.com' : email,
        audience: number % 5 === 0 ? 'https://search.run.app' : AUDIENCE,
        claims: { number },
        ...(number % 6 === 0 && { expiresIn: -7200 }),
        ...(number % 7 === 0 && { header: { kid: `unknown-${number}` } }),
      }),
    ),
  )
  const assertions = await Promise.all(
    Array.from({ length: 10 }, (_, number) =>
      issuer.iapAssertion({ email, audience: IAP_AUDIENCE, claims: { number } }),
    ),
  )
  const presented = [
    ...tokens.map((token) => ['authorization', 'Bearer ', token] as const),
    ...assertions.map((token) => ['x-goog-iap-jwt-assertion', '', token] as const),
  ]
  let served = 0
  for (const port of ports) {
    for (const [header, scheme, token] of presented) {
      const forged = `${token.slice(0, -20)}${token.slice(-19)}A`
      signatures.addSignature(header, token)
      signatures.addSignature(`${header}, forged`, forged)
      for (const sent of [token, token, token, forged]) {
        const answer = await rawRequest(port, { headers: [[header, `${scheme}${sent}`]] })
        if (answer.status === 200) served += 1
      }
    }
  }
  t.ok(served > 50, `${served} requests were served`)

  const file = join(folder, 'after.heapsnapshot')
  child.stdin?.write(`${file}\n`)
  const remembered = JSON.parse(await nextLine()) as { tokenCache: { size: number } }[]
  for (const { tokenCache } of remembered) t.ok(tokenCache.size > 10, 'tokens are remembered')
  const heap = readFileSync(file, 'utf8')
  t.match(heap, email, 'the heap holds the callers that are remembered')
  t.strictSame(Object.fromEntries(signatures.foundIn(heap)), {})
})
