/** No part of a token that is in a request leaves the process: adapters, verifier, verbs that read. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { startKeyServer } from '../../../bench/faults/key-server.ts'
import {
  iapJwks,
  jwks,
  optionsOf,
  rawHeadersOf,
  rows,
  type FixtureRow,
} from '../../../fixtures/rows.ts'
import { googleIdToken as guardExpress } from '../../../src/express.ts'
import guardFastify, { createVerifier, type GoogleIdTokenOptions } from '../../../src/index.ts'
import { capturedLog } from '../../helpers/captured-log.ts'
import { runVerb } from '../../helpers/command-line.ts'
import { assertNoSecrets, collectOutputs } from '../../helpers/outputs.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { audience } from '../../helpers/shop.ts'
import { requestWith } from '../../helpers/timed-verifier.ts'

process.env.K_SERVICE = 'user-profiles'

const IAP_AUDIENCE = '/projects/123456789012/apps/shop-prod'

const collected = collectOutputs(t)
const { outputs, telemetry, secrets } = collected
for (const { name, headers } of rows) {
  for (const [, value] of headers) secrets.add(name, value)
}

/** Options with everything turned on that gives anything out. */
function observed(row: FixtureRow): GoogleIdTokenOptions {
  return { ...optionsOf(row), auditLog: true, refusalLog: 'all', ...telemetry }
}

/** A guarded server, and how it is closed. */
interface Served {
  readonly port: number
  readonly close: () => unknown
}

async function fastifyWith(row: FixtureRow, reportOnly: boolean): Promise<Served> {
  const log = capturedLog()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  app.register(guardFastify, { ...observed(row), reportOnly })
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
  const auth = guardExpress({ ...observed(row), reportOnly, logger })
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
      meter: telemetry.meter,
      logger: {
        warn: (...entry: unknown[]) => {
          outputs.add('log of the verifier', entry)
        },
      },
    })
    const request = () => requestWith(...rawHeadersOf(row))
    const explained = await verifier.explain(request(), row.route).catch((error: unknown) => error)
    outputs.error('explain', explained)
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
    ...['--audience', audience, '--jwks-uri', idTokens?.uri ?? ''],
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

t.test('no output for a request holds a part of its token', async (t) => {
  const planted = `a line with ${rows.find(({ name }) => name === 'header/authorization')?.headers[0]?.[1] ?? ''}`
  t.ok(secrets.foundIn(planted).size > 0, 'what is looked for is found where it is')
  await sendRows()
  await explainRows()
  await runVerbs(t)
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
  ]
  assertNoSecrets(t, collected, { places, parts: 50_000 })
})
