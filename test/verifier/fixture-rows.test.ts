/** The fixture table, through each adapter: one outcome, whatever the framework. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import t from 'tap'
import { optionsOf, rows, type FixtureRow } from '../../fixtures/rows.ts'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import guardFastify, { type Caller, type RoutePolicy } from '../../src/index.ts'
import { silent } from '../helpers/captured-log.ts'
import { rawRequest } from '../helpers/raw-request.ts'

process.env.K_SERVICE = 'user-profiles'

type Options = ReturnType<typeof optionsOf> & { logger: typeof silent; reportOnly: boolean }

/** An app with a guarded route for each policy, in this order: `/0`, `/1`, … */
interface App {
  readonly port: number
  readonly close: () => unknown
}

type StartApp = (options: Options, policies: readonly Policy[]) => Promise<App>
type Policy = RoutePolicy | undefined

function shown(caller: Caller | null): { caller: object | null } {
  if (caller === null) return { caller }
  const { email, subject, audience, header, signatureVerified } = caller
  return { caller: { email, subject, audience, header, signatureVerified } }
}

async function startFastify(options: Options, policies: readonly Policy[]): Promise<App> {
  const app = Fastify()
  app.register(guardFastify, options)
  for (const [index, idToken] of policies.entries()) {
    app.get(`/${index}`, { config: { idToken } }, (request) => shown(request.caller))
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

function startExpress(makeApp: () => express.Express): StartApp {
  return async (options, policies) => {
    const app = makeApp()
    const auth = guardExpress(options)
    // No request waits for keys then, so let them be there.
    if (options.reportOnly) await auth.verifier.ready().catch(() => undefined)
    for (const [index, policy] of policies.entries()) {
      const { optional, allowedCallers, audience } = policy ?? {}
      const guard = optional
        ? auth.optional({ allowedCallers, audience })
        : policy === undefined
          ? auth
          : auth.allow(allowedCallers ?? options.allowedCallers ?? [], { audience })
      app.get(`/${index}`, guard, (request, response) => {
        response.json(shown(request.caller ?? null))
      })
    }
    const answerError: express.ErrorRequestHandler = (error, _request, response, next) => {
      if (response.headersSent) {
        next(error)
        return
      }
      const { statusCode, code, message } = error as Record<string, unknown>
      response.status(Number(statusCode)).json({ code, message })
    }
    app.use(answerError)
    const server = createServer(app as RequestListener)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const close = () => {
      server.close()
      auth.verifier.close()
    }
    return { port: (server.address() as AddressInfo).port, close }
  }
}

const adapters: readonly (readonly [name: string, start: StartApp])[] = [
  ['Fastify 5', startFastify],
  ['Express 4', startExpress(express4)],
  ['Express 5', startExpress(express)],
]

/** What a response says, in the table's terms. */
interface Answer {
  readonly status: number
  readonly challenge: string | undefined
  readonly body: { readonly code?: string; readonly caller?: object | null }
}

/** Rows whose requests one app can answer. */
const groups = new Map<string, FixtureRow[]>()
for (const row of rows) {
  const configuration = configurationOf(row)
  groups.set(configuration, [...(groups.get(configuration) ?? []), row])
}

// A fetch that has failed decides about the next request too: such rows have an app of their own.
function configurationOf({ options, clock, failingKeyEndpoint, name }: FixtureRow): string {
  return JSON.stringify([options, clock, failingKeyEndpoint && name])
}

/** What each row's request is answered. */
async function answersTo(
  start: StartApp,
  reportOnly: boolean,
): Promise<readonly (readonly [FixtureRow, Answer])[]> {
  const answers: [FixtureRow, Answer][] = []
  for (const group of groups.values()) {
    const policies = [...new Map(group.map(({ route }) => [JSON.stringify(route), route])).values()]
    const paths = policies.map((policy) => JSON.stringify(policy))
    const options = { ...optionsOf(group[0] as FixtureRow), reportOnly, logger: silent }
    const app = await start(options, policies)
    try {
      for (const row of group) {
        const path = `/${paths.indexOf(JSON.stringify(row.route))}`
        const { headers } = row
        const { status, headers: answered, body } = await rawRequest(app.port, { path, headers })
        const challenge = answered['www-authenticate']
        answers.push([row, { status, challenge, body: JSON.parse(body) as Answer['body'] }])
      }
    } finally {
      await app.close()
    }
  }
  return answers
}

for (const [name, start] of adapters) {
  t.test(`every fixture row through ${name}`, async (t) => {
    for (const [{ name, outcome }, { status, challenge, body }] of await answersTo(start, false)) {
      if (outcome.status === 200) {
        t.strictSame({ status, body }, { status: 200, body: { caller: outcome.caller } }, name)
        continue
      }
      t.strictSame(
        { status, code: body.code, challenge: challenge?.split(', error_description=')[0] },
        { status: outcome.status, code: outcome.code, challenge: outcome.challenge },
        name,
      )
    }
  })
}

for (const [name, start] of adapters.filter(([name]) => name !== 'Express 4')) {
  t.test(`with reportOnly, every fixture row is let in through ${name}`, async (t) => {
    for (const [{ name, outcome }, answer] of await answersTo(start, true)) {
      const caller = outcome.status === 200 ? outcome.caller : null
      t.strictSame(answer, { status: 200, challenge: undefined, body: { caller } }, name)
    }
  })
}
