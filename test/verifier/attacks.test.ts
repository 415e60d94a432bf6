import { once } from 'node:events'
import { createServer, IncomingMessage, type RequestListener } from 'node:http'
import { connect, constants } from 'node:http2'
import { Socket, type AddressInfo } from 'node:net'
import express from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startKeyServer } from '../../bench/faults/key-server.ts'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import googleIdToken, { createVerifier } from '../../src/index.ts'
import { meterWith } from '../helpers/meter.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

// What somebody who set out to get in without a right, or to break the service, has tried.

const stranger = 'mallory@evil-prod.iam.gserviceaccount.com'
const quiet = { warn: () => undefined }

const remote = { audience, allowedCallers: [login], logger: quiet }
const options = { ...remote, jwks: issuer.jwks }
const stripped = (token: string): string =>
  `${token.split('.').slice(0, 2).join('.')}.SIGNATURE_REMOVED_BY_GOOGLE`
const tokenOf = (email: string): Promise<string> => issuer.idToken({ email, audience })

async function listening(t: Test, app: FastifyInstance): Promise<number> {
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function behindCloudRun(t: Test): void {
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => delete process.env.K_SERVICE)
}

t.test('a header that Node drops from a long list does not let another one decide', async (t) => {
  behindCloudRun(t)
  const app = Fastify()
  app.register(googleIdToken, { ...options, trustRemovedSignature: true })
  app.get('/', (request) => request.caller.email)
  const port = await listening(t, app)
  const forged: [string, string] = ['authorization', `Bearer ${stripped(await tokenOf(login))}`]
  const checked: [string, string] = [
    'x-serverless-authorization',
    `Bearer ${stripped(await tokenOf(stranger))}`,
  ]
  const among = (count: number): Promise<{ status: number }> => {
    const junk = Array.from({ length: count }, (_, i): [string, string] => [i.toString(36), ''])
    return rawRequest(port, { headers: [forged, ...junk, checked] })
  }
  // Newer versions of Node answer 431 themselves; older ones drop headers, and the plugin answers 400,
  // as it does everywhere to a list that is just full: nobody can tell whether that is all of it.
  const refused = async (count: number): Promise<void> => {
    const { status } = await among(count)
    t.ok([400, 431].includes(status), `${count} more headers: ${status}`)
  }
  t.equal((await among(0)).status, 403)
  t.equal((await among(900)).status, 403)
  await refused(1030)
  app.server.maxHeadersCount = 20
  t.equal((await among(10)).status, 403)
  t.equal((await among(16)).status, 400, 'with Host and Connection exactly 20')
  await refused(40)
  app.server.maxHeadersCount = 0
  t.equal((await among(1030)).status, 403, 'without a limit Node keeps them all')
})

t.test('a header that HTTP/2 drops does not let another one be trusted', async (t) => {
  behindCloudRun(t)
  const app = Fastify({ http2: true })
  app.register(googleIdToken, { ...options, trustRemovedSignature: true })
  app.get('/', (request) => request.caller.email)
  t.teardown(() => app.close())
  const session = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => {
    session.close()
  })
  const statusWith = async (headers: Record<string, string>): Promise<unknown> => {
    const stream = session.request({ ':path': '/', ...headers })
    const [response] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.resume()
    return response[constants.HTTP2_HEADER_STATUS]
  }
  const marked = `Bearer ${stripped(await tokenOf(login))}`
  t.equal(await statusWith({ authorization: marked }), 401)
  t.equal(await statusWith({ 'x-serverless-authorization': marked }), 200)
})

t.test('a marker after one segment has no twin', async (t) => {
  const verifier = createVerifier(options)
  const token = await tokenOf(login)
  const [header = ''] = token.split('.')
  const request = new IncomingMessage(new Socket())
  request.rawHeaders.push(
    ...['x-serverless-authorization', `Bearer ${header}.SIGNATURE_REMOVED_BY_GOOGLE`],
    ...['authorization', `Bearer ${token}`],
  )
  await t.rejects(verifier.authenticate(request), { code: 'ID_TOKEN_MALFORMED' })
})

t.test('a polluted prototype opens nothing', async (t) => {
  const app = Fastify()
  app.register(googleIdToken, options)
  app.get('/', () => 'in')
  app.get('/listed', { config: { idToken: { allowedCallers: [login] } } }, () => 'in')
  t.teardown(() => app.close())
  const pollute = async (name: string, value: unknown, attack: () => Promise<void>) => {
    Object.defineProperty(Object.prototype, name, { value, configurable: true })
    await attack().finally(() => Reflect.deleteProperty(Object.prototype, name))
  }
  const refused = async (): Promise<void> => {
    t.equal((await app.inject('/')).statusCode, 401)
    t.equal((await app.inject('/listed')).statusCode, 401)
  }
  await pollute('optional', true, refused)
  for (const value of [false, { optional: true }]) await pollute('idToken', value, refused)
  await pollute('trustRemovedSignature', true, async () => {
    t.throws(() => createVerifier({ audience: undefined as unknown as string }))
    createVerifier(options)
  })
})

t.test(
  'a change of a config after its route was declared changes neither guard nor list',
  async (t) => {
    const app = Fastify()
    app.register(googleIdToken, options)
    const config: { idToken: false | { allowedCallers: string[] } } = { idToken: false }
    app.get('/', { config }, () => 'open')
    config.idToken = { allowedCallers: [login] }
    await app.ready()
    t.teardown(() => app.close())
    t.match(app.listAllowedCallers(), [{ access: 'open' }])
    t.equal((await app.inject('/')).statusCode, 200)
  },
)

t.test('wildcards do not match the service agents of other projects', async (t) => {
  const agents = [
    'service-123456789012@gs-project-accounts',
    'bq-123456789012@bigquery-encryption',
    'project-123456789012@storage-transfer-service',
    'p123456789012-abc123@sql-accounts',
  ]
  for (const agent of agents) {
    const email = `${agent}.iam.gserviceaccount.com`
    const allowedCallers = [`*${email.slice(email.indexOf('@'))}`]
    const request = new IncomingMessage(new Socket())
    request.rawHeaders.push('authorization', `Bearer ${await tokenOf(email)}`)
    await t.rejects(
      createVerifier({ ...options, allowedCallers }).authenticate(request),
      { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' },
      email,
    )
  }
  const allowedCallers = ['*@a..b.iam.gserviceaccount.com']
  t.throws(() => createVerifier({ ...options, allowedCallers }), {
    code: 'ID_TOKEN_OPTION_INVALID',
  })
})

t.test('Express: a refusal after another response does not end the process', async (t) => {
  const server = await startKeyServer(issuer.jwks)
  t.teardown(() => server.close())
  server.answer = (response, document) => {
    setTimeout(() => response.end(document), 100)
  }
  const problems: unknown[] = []
  const app = express()
  app.use((_request, response, next) => {
    setTimeout(() => response.status(503).send('timed out'), 10)
    next()
  })
  app.get('/', guardExpress({ ...remote, jwksUri: server.uri }), (_request, response) => {
    response.send('in')
  })
  const onError: express.ErrorRequestHandler = (error, _request, response, next) => {
    problems.push(error)
    if (!response.headersSent) next(error)
  }
  app.use(onError)
  const port = await listeningExpress(t, app)
  const headers: [string, string][] = [['authorization', `Bearer ${await tokenOf(stranger)}`]]
  t.equal((await rawRequest(port, { headers })).status, 503)
  while (problems.length === 0) await new Promise(setImmediate)
  t.match(problems, [{ code: 'ID_TOKEN_CALLER_NOT_ALLOWED' }])
})

t.test('Express: a request that is not what it should be is an error, not an end', async (t) => {
  const app = express()
  app.use((request, _response, next) => {
    Object.assign(request, { log: () => undefined })
    Object.defineProperty(request, 'caller', { value: null, writable: false })
    next()
  })
  app.get('/', guardExpress(options), (_request, response) => {
    response.send('in')
  })
  app.set('env', 'test')
  const port = await listeningExpress(t, app)
  t.equal((await rawRequest(port, {})).status, 401, 'a log that has no warn is no log')
  const headers: [string, string][] = [['authorization', `Bearer ${await tokenOf(login)}`]]
  t.equal((await rawRequest(port, { headers })).status, 500)
})

async function listeningExpress(t: Test, app: RequestListener): Promise<number> {
  const server = createServer(app)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('a meter or a logger that throws decides nothing', async (t) => {
  const server = await startKeyServer(issuer.jwks)
  t.teardown(() => server.close())
  const fail = (): never => {
    throw new Error('out of order')
  }
  const warned = once(process, 'warning')
  const meter = meterWith(() => ({ add: fail }))
  const verifier = createVerifier({ ...options, meter })
  t.equal((await verifier.verifyAnyCaller(await tokenOf(login))).email, login)
  t.match(await warned, [{ message: 'out of order' }])
  await server.lose()
  const lost = createVerifier({ ...remote, jwksUri: server.uri, logger: { warn: fail } })
  await t.rejects(lost.verify(await tokenOf(login)), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
})

t.test('an audience that is two, or a list of one string, is refused at start', async (t) => {
  for (const wrong of [`${audience},https://other.run.app`, 'a b', [`${audience} `]]) {
    t.throws(() => createVerifier({ ...options, audience: wrong }), {
      message: /^Option audience is .*; accepted: /,
    })
  }
})

t.test('a refusal tells the log whose token it is', async (t) => {
  const verifier = createVerifier(options)
  const expired = { audience, subject: '112233445566778899001', expiresIn: -100 }
  for (const [claims, caller] of [
    [{ email: login, email_verified: true }, login],
    [{ email: login, email_verified: false }, expired.subject],
    [{ email_verified: true }, expired.subject],
  ] as const) {
    const token = await issuer.idToken({ ...expired, claims })
    await t.rejects(verifier.verifyAnyCaller(token), {
      code: 'ID_TOKEN_EXPIRED',
      detail: { caller },
    })
  }
})
