/** The fixture table, through each skin: one outcome, whatever the framework. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import t from 'tap'
import { optionsOf, rows, type FixtureRow } from '../../fixtures/rows.ts'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import guardFastify, { type Caller } from '../../src/index.ts'
import { silent } from '../helpers/captured-log.ts'
import { rawRequest } from '../helpers/raw-request.ts'

process.env.K_SERVICE = 'user-profiles'

/** What a response says, in the table's terms. */
interface Told {
  status: number
  challenge?: string | undefined
  body: { code?: string; message?: string; caller?: object | null }
}

interface Skin {
  name: string
  /** Sends the row's request to an app of its own. */
  tell: (row: FixtureRow, reportOnly?: boolean) => Promise<Told>
}

function shown(caller: Caller | null): { caller: object | null } {
  if (caller === null) return { caller }
  const { email, subject, audience, header, signatureVerified } = caller
  return { caller: { email, subject, audience, header, signatureVerified } }
}

async function overSocket(server: ReturnType<typeof createServer>, row: FixtureRow): Promise<Told> {
  const { headers, status, body } = await rawRequest((server.address() as AddressInfo).port, row)
  return {
    status,
    challenge: headers['www-authenticate'],
    body: JSON.parse(body) as Told['body'],
  }
}

async function tellFastify(row: FixtureRow, reportOnly = false): Promise<Told> {
  const app = Fastify()
  app.register(guardFastify, { ...optionsOf(row), reportOnly, logger: silent })
  app.get('/', { config: { idToken: row.route } }, (request) => shown(request.caller))
  const names = row.headers.map(([name]) => name.toLowerCase())
  try {
    if (new Set(names).size < names.length) {
      // A header twice is nothing that `inject` can send.
      await app.listen({ port: 0, host: '127.0.0.1' })
      return await overSocket(app.server, row)
    }
    const response = await app.inject({ url: '/', headers: Object.fromEntries(row.headers) })
    return {
      status: response.statusCode,
      challenge: response.headers['www-authenticate']?.toString(),
      body: response.json(),
    }
  } finally {
    await app.close()
  }
}

function tellExpress(makeApp: () => express.Express): Skin['tell'] {
  return async (row, reportOnly = false) => {
    const app = makeApp()
    const auth = guardExpress({ ...optionsOf(row), reportOnly, logger: silent })
    // No request waits for keys then, so let them be there.
    if (reportOnly) await auth.verifier.ready().catch(() => undefined)
    const { optional, allowedCallers, audience } = row.route ?? {}
    const guard = optional
      ? auth.optional({ allowedCallers, audience })
      : row.route === undefined
        ? auth
        : auth.allow(allowedCallers ?? row.options.allowedCallers ?? [], { audience })
    app.get('/', guard, (request, response) => {
      response.json(shown(request.caller ?? null))
    })
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
    try {
      return await overSocket(server, row)
    } finally {
      server.close()
      auth.verifier.close()
    }
  }
}

const skins: Skin[] = [
  { name: 'Fastify 5', tell: tellFastify },
  { name: 'Express 4', tell: tellExpress(express4) },
  { name: 'Express 5', tell: tellExpress(express) },
]

for (const skin of skins) {
  t.test(`every fixture row through ${skin.name}`, async (t) => {
    for (const row of rows) {
      const { status, challenge = null, body } = await skin.tell(row)
      const { outcome } = row
      if (outcome.status === 200) {
        t.strictSame({ status, body }, { status: 200, body: { caller: outcome.caller } }, row.name)
        continue
      }
      t.strictSame(
        { status, code: body.code },
        { status: outcome.status, code: outcome.code },
        row.name,
      )
      t.equal(
        challenge?.split(', error_description=')[0],
        outcome.challenge,
        `${row.name}: challenge`,
      )
    }
  })
}

for (const skin of skins.filter(({ name }) => name !== 'Express 4')) {
  t.test(`with reportOnly, every fixture row is let in through ${skin.name}`, async (t) => {
    for (const row of rows) {
      const { outcome } = row
      const caller = outcome.status === 200 ? outcome.caller : null
      t.strictSame(
        await skin.tell(row, true),
        { status: 200, challenge: undefined, body: { caller } },
        row.name,
      )
    }
  })
}
