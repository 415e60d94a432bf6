/** A process that guards an app with keys from a JWKS endpoint, answers a request and closes it. */
import Fastify from 'fastify'
import googleIdToken from '../../../src/index.ts'

const [jwksUri = '', audience = '', email = '', token = ''] = process.argv.slice(2)

const app = Fastify()
app.register(googleIdToken, { audience, allowedCallers: [email], jwksUri })
app.get('/', (request) => ({ caller: request.caller.email }))
const address = await app.listen({ port: 0, host: '127.0.0.1' })
const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
const body = await response.text()
await app.close()
process.stdout.write(`closed after ${response.status} ${body}`)
