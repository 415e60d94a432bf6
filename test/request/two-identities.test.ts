/** A user of the application in Authorization, and the calling service in headers of its own. */
import Fastify from 'fastify'
import { Compute } from 'google-auth-library'
import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import guardFastify, { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { startCloudRunFrontend, startGoogleEmulator } from '../../src/testing.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { serviceOf } from '../helpers/cloud-run-front.ts'
import { issuer } from '../helpers/issuer.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const login = 'login@shop-prod.iam.gserviceaccount.com'
const { jwks } = issuer

t.test('a header that cannot hold a twin is refused at start', (t) => {
  for (const twinHeader of [
    null,
    7,
    '',
    ['x-profiles-token'],
    'x profiles token',
    'x-profiles-token:',
    'x-profiles-token\r\nx-other',
    'X-Serverless-Authorization',
    'X-Goog-IAP-JWT-Assertion',
    'Proxy-Authorization',
    'Cookie',
    'Host',
  ]) {
    t.throws(() => createVerifier({ audience, jwks, twinHeader } as VerifierOptions), {
      name: 'TypeError',
      code: 'ID_TOKEN_OPTION_INVALID',
      message: /^Option twinHeader is .*; accepted: the name of a header of your own/,
    })
  }
  for (const twinHeader of [undefined, 'authorization', 'Authorization', 'X-Profiles-Token']) {
    t.doesNotThrow(() => createVerifier({ audience, jwks, twinHeader }))
  }
  t.end()
})

t.test('the remedy for a missing twin names the option', async (t) => {
  const twinHeader = 'x-profiles-token'
  const verifier = createVerifier({ audience, jwks, allowedCallers: [login], twinHeader })
  const token = await issuer.idToken({ email: login, audience })
  const stripped = `${token.replace(/[^.]*$/, '')}SIGNATURE_REMOVED_BY_GOOGLE`
  const headers = { 'x-serverless-authorization': `Bearer ${stripped}` }
  await t.rejects(verifier.authenticate({ headers }), {
    code: 'ID_TOKEN_SIGNATURE_REMOVED',
    detail: { remedy: /, in a header of its own that the option twinHeader names;/ },
  })
})

t.test('the front end passes the twin and Authorization on byte for byte', async (t) => {
  const service = await serviceOf(t)
  const invokers = [`serviceAccount:${login}`]
  const front = await startCloudRunFrontend({ target: service.url, audience, invokers, jwks })
  t.teardown(() => front.close())
  const token = await issuer.idToken({ email: login, audience })
  const untouched = [
    ['Authorization', 'Bearer of.a.user'],
    ['X-Profiles-Token', `Bearer ${token}`],
  ] as const
  const { status } = await rawRequest(Number(new URL(front.url).port), {
    headers: [['X-Serverless-Authorization', `Bearer ${token}`], ...untouched],
  })
  t.equal(status, 200)
  const { rawHeaders = [] } = service.requests[0] ?? {}
  for (const [name, value] of untouched) {
    t.equal(rawHeaders[rawHeaders.indexOf(name) + 1], value, name)
  }
  t.match(
    rawHeaders[rawHeaders.indexOf('X-Serverless-Authorization') + 1],
    /^Bearer [^.]+\.[^.]+\.SIGNATURE_REMOVED_BY_GOOGLE$/,
  )
})

t.test('from the client through Cloud Run to the route, beside a user', async (t) => {
  const emulator = await startGoogleEmulator({ serviceAccount: login })
  t.teardown(() => emulator.close())
  const { jwksUri } = emulator
  const { GCE_METADATA_HOST } = emulator.env
  process.env.GCE_METADATA_HOST = GCE_METADATA_HOST
  t.teardown(() => delete process.env.GCE_METADATA_HOST)
  const app = Fastify()
  t.teardown(() => app.close())
  const twin = 'X-Profiles-Token'
  app.register(guardFastify, { audience, jwksUri, allowedCallers: [login], twinHeader: twin })
  app.get('/', ({ caller, headers }) => ({
    email: caller.email,
    header: caller.header,
    signatureVerified: caller.signatureVerified,
    user: headers.authorization,
  }))
  const target = await app.listen({ port: 0 })
  const invokers = [`serviceAccount:${login}`]
  const front = await startCloudRunFrontend({ target, audience, invokers, jwksUri })
  t.teardown(() => front.close())
  const options = { auth: new Compute(), url: front.url, audience }
  const headers = { authorization: 'Bearer of.a.user' }

  const profiles = createServiceClient({ ...options, tokenHeaders: { twin } })
  t.strictSame(await (await profiles.fetch('/', { headers })).json(), {
    email: login,
    header: 'x-profiles-token',
    signatureVerified: true,
    user: 'Bearer of.a.user',
  })

  const alone = createServiceClient({ ...options, tokenHeaders: 'x-serverless-authorization' })
  const refused = await alone.fetch('/', { headers })
  t.match(await refused.json(), { code: 'ID_TOKEN_SIGNATURE_REMOVED' }, 'without a twin')
})
