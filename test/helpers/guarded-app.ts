/** Apps with one guard and one route, `GET /orders/:id`, which answers who called. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import express4 from 'express4'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import type { Test } from 'tap'
import { googleIdToken as guardExpress, type GuardOptions } from '../../src/express.ts'
import guardFastify, { type Caller, type GuardPolicy } from '../../src/index.ts'
import { rawRequest, type RawRequest, type RawResponse } from './raw-request.ts'

/** One line that a logger was given. */
export interface RecordedLine {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A logger of a request, of a scope and of the app, which records what it is given. */
export interface RecordedLog {
  readonly lines: RecordedLine[]
  readonly warned: () => RecordedLine[]
  readonly logger: FastifyBaseLogger
}

/** @param note - called with each line, before it is recorded */
export function recordedLog(note: (line: RecordedLine) => void = () => undefined): RecordedLog {
  const lines: RecordedLine[] = []
  const at =
    (level: string) =>
    (fields: object | string, text = '') => {
      const [found, message] = typeof fields === 'string' ? [{}, fields] : [fields, text]
      const line = { level, fields: found as RecordedLine['fields'], message }
      note(line)
      lines.push(line)
    }
  const logger: FastifyBaseLogger = {
    level: 'info',
    fatal: at('fatal'),
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    silent: () => undefined,
    child: () => logger,
  } as never
  return { lines, warned: () => lines.filter(({ level }) => level === 'warn'), logger }
}

/** An app that listens. */
export interface GuardedApp {
  /** By default `GET /orders/1`. */
  readonly ask: (request?: RawRequest) => Promise<RawResponse>
  readonly close: () => Promise<void>
}

/** What an app is made of. */
export interface AppParts {
  readonly options: GuardOptions
  /** Of the route, if it has one of its own. */
  readonly policy?: GuardPolicy
  readonly log?: RecordedLog
  /** Called by the handler of the route. */
  readonly handled?: (request: IncomingMessage) => void
}

/** A framework. */
export interface Framework {
  readonly name: string
  readonly start: (t: Test, parts: AppParts) => Promise<GuardedApp>
}

const answerOf = (caller: Caller | null | undefined): object => ({
  caller: caller === null ? null : caller?.email,
})

const askAt =
  (port: number): GuardedApp['ask'] =>
  (request) =>
    rawRequest(port, { path: '/orders/1', ...request })

async function startFastify(
  t: Test,
  { options, policy, log, handled }: AppParts,
): Promise<GuardedApp> {
  const { logger } = log ?? recordedLog()
  const app = Fastify({ loggerInstance: logger })
  app.register(guardFastify, options)
  app.get('/orders/:id', { config: { idToken: policy } }, (request) => {
    handled?.(request.raw)
    return answerOf(request.caller)
  })
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    ask: askAt((app.server.address() as AddressInfo).port),
    close: () => app.close(),
  }
}

/** The guard of the whole app; with a policy, that of the route. */
async function startExpress(
  makeApp: () => express.Express,
  t: Test,
  { options, policy, log, handled }: AppParts,
): Promise<GuardedApp> {
  const auth = guardExpress({ logger: (log ?? recordedLog()).logger, ...options })
  const app = makeApp()
  app.set('env', 'test')
  const answer: express.RequestHandler = (request, response) => {
    handled?.(request)
    response.json(answerOf(request.caller))
  }
  if (policy === undefined) app.use(auth).get('/orders/:id', answer)
  else {
    const { allowedCallers = [], audience, reportOnly } = policy
    app.get('/orders/:id', auth.allow(allowedCallers, { audience, reportOnly }), answer)
  }
  const server = createServer(app as RequestListener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = async (): Promise<void> => {
    auth.verifier.close()
    if (server.listening) await once(server.close(), 'close')
  }
  t.teardown(close)
  return { ask: askAt((server.address() as AddressInfo).port), close }
}

export const fastify: Framework = { name: 'Fastify', start: startFastify }

export const frameworks: readonly Framework[] = [
  fastify,
  { name: 'Express 4', start: (t, parts) => startExpress(express4, t, parts) },
  { name: 'Express 5', start: (t, parts) => startExpress(express, t, parts) },
]
