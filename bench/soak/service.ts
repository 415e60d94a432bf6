/**
 * A process with guarded apps, started by the soak: `fastify`, `fastify-http2` and `express`, as its
 * arguments name them. Prints its ports, prints its measurements when it is asked, and ends when it
 * is asked to.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import guardFastify, { type GoogleIdTokenOptions } from '../../src/index.ts'
import { AUDIENCE, IAP_AUDIENCE, LISTED, PERSON } from './tokens.ts'

/** What the process is started with. */
export interface ServiceSettings {
  readonly name: string
  readonly app: 'fastify' | 'fastify-http2' | 'express'
  readonly jwksUri: string
  readonly iapJwksUri: string
}

/** What it says of itself. */
export interface Measured {
  /** Bytes after garbage collection. */
  readonly heap: number
  readonly resources: number
  readonly unhandled: number
  /** Tokens in the caches, and how many there may be. */
  readonly cached: number
  readonly most: number
  /** Fetches of keys, and those that failed. */
  readonly fetches: number
  readonly failures: number
}

interface Running {
  readonly port: number
  readonly stats: () => ReturnType<ReturnType<typeof guardExpress>['verifier']['stats']>
  readonly close: () => unknown
}

const CACHED = 100

let unhandled = 0
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, () => {
    unhandled += 1
  })
}

function optionsOf({ jwksUri, iapJwksUri }: ServiceSettings): GoogleIdTokenOptions {
  return {
    audience: AUDIENCE,
    allowedCallers: [LISTED, { email: PERSON }],
    jwksUri,
    iap: { audience: IAP_AUDIENCE, jwksUri: iapJwksUri },
    tokenCache: { max: CACHED },
    auditLog: true,
    logger: Object.assign({ warn: () => undefined }, { info: () => undefined }),
  }
}

async function startFastify(settings: ServiceSettings): Promise<Running> {
  // As an object, because the types of the two kinds of apps have no calls in common.
  const app = Fastify((settings.app === 'fastify' ? {} : { http2: true }) as object)
  app.register(guardFastify, optionsOf(settings))
  app.get('/', (request) => ({ caller: request.caller.subject }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { port, stats: () => app.idTokenVerifier.stats(), close: () => app.close() }
}

async function startExpress(settings: ServiceSettings): Promise<Running> {
  const app = express()
  const auth = guardExpress(optionsOf(settings))
  app.get('/', auth, (request, response) => {
    response.json({ caller: request.caller?.subject })
  })
  const answerError: express.ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) next(error)
    else response.sendStatus((error as { statusCode?: number }).statusCode ?? 500)
  }
  app.use(answerError)
  const server = createServer(app as RequestListener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = (): void => {
    auth.verifier.close()
    server.close()
    server.closeAllConnections()
  }
  const { port } = server.address() as AddressInfo
  return { port, stats: () => auth.verifier.stats(), close }
}

const all = JSON.parse(process.argv[2] ?? '[]') as readonly ServiceSettings[]
const running = await Promise.all(
  all.map((one) => (one.app === 'express' ? startExpress(one) : startFastify(one))),
)

function measure(): Measured {
  globalThis.gc?.()
  const stats = running.map((one) => one.stats())
  const sum = (of: (one: (typeof stats)[number]) => number): number =>
    stats.reduce((total, one) => total + of(one), 0)
  return {
    heap: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo().length,
    unhandled,
    cached: sum(({ tokenCache }) => tokenCache.size),
    most: sum(({ tokenCache }) => tokenCache.max),
    fetches: sum(({ keys, iapKeys }) => keys.fetches + (iapKeys?.fetches ?? 0)),
    failures: sum(({ keys, iapKeys }) => keys.failures + (iapKeys?.failures ?? 0)),
  }
}

process.on('message', (message) => {
  if (message === 'measure') process.send?.({ measured: measure() })
  if (message === 'end') {
    void Promise.all(running.map((one) => one.close())).then(() => process.exit(0))
  }
})
process.send?.({ ports: running.map(({ port }) => port) })
