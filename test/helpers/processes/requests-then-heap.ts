/**
 * Guards routes with the token cache on, until a line comes on standard input. Then it drops the
 * connections, collects garbage, and writes its heap into the file that the line names.
 *
 * Arguments: the options of the guard as JSON.
 */
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'
import express from 'express'
import Fastify from 'fastify'
import { googleIdToken as guardExpress } from '../../../src/express.ts'
import guardFastify, { type GoogleIdTokenOptions } from '../../../src/index.ts'

const options = {
  ...(JSON.parse(process.argv[2] ?? '') as GoogleIdTokenOptions),
  logger: { warn: () => undefined, info: () => undefined },
}

const app = Fastify({ logger: { level: 'trace', stream: { write: () => undefined } } })
app.register(guardFastify, options)
app.get('/', (request) => request.caller.email)
await app.listen({ port: 0, host: '127.0.0.1' })

const other = express()
const auth = guardExpress(options)
other.get('/', auth, (request, response) => {
  response.send(request.caller?.email)
})
const answerError: express.ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) next(error)
  else response.sendStatus((error as { statusCode: number }).statusCode)
}
other.use(answerError)
const server = createServer(other as RequestListener)
await once(server.listen(0, '127.0.0.1'), 'listening')

const ports = [app.server, server].map((one) => (one.address() as AddressInfo).port)
process.stdout.write(`${JSON.stringify(ports)}\n`)

const [line] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string]
app.server.closeAllConnections()
server.closeAllConnections()
const { gc } = globalThis
if (gc === undefined) throw new Error('run with --expose-gc')
for (let round = 0; round < 10; round += 1) {
  await turn()
  gc()
}
const remembered = [app.idTokenVerifier, auth.verifier].map((one) => one.stats())
writeHeapSnapshot(line.trim())
process.stdout.write(`${JSON.stringify(remembered)}\n`)
process.exit(0)
