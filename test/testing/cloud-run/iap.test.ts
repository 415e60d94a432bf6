/** The front end with Identity-Aware Proxy before it. */
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createVerifier } from '../../../src/index.ts'
import guardFastify from '../../../src/index.ts'
import {
  startCloudRunFrontend,
  startGoogleEmulator,
  type CloudRunFrontendOptions,
} from '../../../src/testing.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { serviceOf } from '../../helpers/cloud-run-front.ts'
import { issuer } from '../../helpers/issuer.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const dana = 'dana@example.com'
const reports = 'reports@shop-prod.iam.gserviceaccount.com'
const protectedByIap = '/projects/739419398126/locations/us-central1/services/user-profiles'
const clientId = '739419398126-abc.apps.googleusercontent.com'
const iap = { audience: protectedByIap, members: [`user:${dana}`], issuer, clientId }

async function behindIap(t: Test, target: string, options: Partial<CloudRunFrontendOptions> = {}) {
  const front = await startCloudRunFrontend({
    target,
    audience,
    jwks: issuer.jwks,
    iap,
    ...options,
  })
  t.teardown(() => front.close())
  return front
}

t.test('IAP says who calls, and nobody else can', async (t) => {
  const service = await serviceOf(t)
  const { url } = await behindIap(t, service.url)
  const token = await issuer.idToken({ email: dana, audience: clientId })
  const forged = await issuer.iapAssertion({ email: 'eve@example.com', audience: protectedByIap })
  const { status } = await rawRequest(Number(new URL(url).port), {
    headers: [
      ['Authorization', `Bearer ${token}`],
      ['X-Goog-IAP-JWT-Assertion', forged],
      ['x-goog-iap-jwt-assertion', forged],
      ['X-Goog-Authenticated-User-Email', 'accounts.google.com:eve@example.com'],
      ['X-Goog-Anything', 'eve'],
      [
        'X-Serverless-Authorization',
        `Bearer ${await issuer.idToken({ audience, email: reports })}`,
      ],
      ['X-Request-Id', '7'],
    ],
  })
  t.equal(status, 200)
  const { rawHeaders = [], headers = {} } = service.requests[0] ?? {}
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  t.strictSame(names.filter((name) => /^x-(?:goog|serverless)-/.test(name)).sort(), [
    'x-goog-authenticated-user-email',
    'x-goog-authenticated-user-id',
    'x-goog-iap-jwt-assertion',
    'x-serverless-authorization',
  ])
  t.match(headers, {
    authorization: `Bearer ${token}`,
    'x-request-id': '7',
    'x-goog-authenticated-user-email': `accounts.google.com:${dana}`,
    'x-serverless-authorization': /^Bearer [^.]+\.[^.]+\.SIGNATURE_REMOVED_BY_GOOGLE$/,
  })
  const allowedCallers = [{ email: dana }]
  const verifying = { audience: protectedByIap, jwks: issuer.iapJwks }
  const verifier = createVerifier({ audience, allowedCallers, jwks: issuer.jwks, iap: verifying })
  const caller = await verifier.authenticate({ headers })
  t.match(caller, { email: dana, source: 'iap', audience: protectedByIap })
  t.equal(headers['x-goog-authenticated-user-id'], `accounts.google.com:${String(caller?.subject)}`)
  // What the service would say without the option: IAP's own token, recognised.
  const unaware = createVerifier({ audience, allowedCallers, jwks: issuer.jwks })
  const { 'x-serverless-authorization': ownToken } = headers
  await t.rejects(unaware.authenticate({ headers: { 'x-serverless-authorization': ownToken } }), {
    code: 'ID_TOKEN_SIGNATURE_REMOVED',
  })
  const explained = await unaware.explain({ headers })
  t.match(explained.checks.find(({ result }) => result === 'fail')?.remedy, /the option iap/)
})

t.test('IAP lets in its members, and answers all others itself', async (t) => {
  const service = await serviceOf(t)
  const members = [`user:${dana}`, `serviceAccount:${reports}`]
  const { url } = await behindIap(t, service.url, { iap: { ...iap, members } })
  const get = (authorization?: string, method = 'GET') =>
    fetch(url, { method, headers: { ...(authorization !== undefined && { authorization }) } })
  const bearer = async (email: string | undefined, forWhom = clientId) =>
    `Bearer ${await issuer.idToken({ email, audience: forWhom })}`
  t.equal((await get(await bearer(dana))).status, 200)
  t.equal((await get(await bearer(reports))).status, 200)
  for (const [authorization, status, text] of [
    [undefined, 401, 'Invalid IAP credentials: empty token'],
    ['Basic ZGFuYTpzZWNyZXQ=', 401, 'Invalid IAP credentials: the token could not be verified'],
    [await bearer(dana, audience), 401, 'Invalid IAP credentials: the token could not be verified'],
    [await bearer('eve@example.com'), 403, "You don't have access"],
  ] as const) {
    const response = await get(authorization)
    t.equal(response.status, status)
    t.equal(response.headers.get('x-goog-iap-generated-response'), 'true')
    t.equal(await response.text(), text)
    const head = await get(authorization, 'HEAD')
    t.equal(head.status, status)
  }
  t.equal(service.requests.length, 2, 'no other request arrived')
  t.equal((await fetch(`${url}/healthz`)).status, 404, 'Cloud Run’s own answers stay')
})

t.test(
  'a member is recognised by its unique id as well, even if the token has no email',
  async (t) => {
    const service = await serviceOf(t)
    const { url } = await behindIap(t, service.url)
    const { sub } = JSON.parse(
      Buffer.from(
        (await issuer.idToken({ email: dana, audience: clientId })).split('.')[1] ?? '',
        'base64url',
      ).toString(),
    ) as { sub: string }
    const token = await issuer.idToken({ subject: sub, audience: clientId })
    t.equal((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status, 200)
    t.notOk('x-goog-authenticated-user-email' in (service.requests[0]?.headers ?? {}))
  },
)

t.test('without keys nobody is let in, and the answer is 503', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  google.fault('certs', { status: 500 })
  const service = await serviceOf(t)
  const { jwksUri } = google
  const { url } = await behindIap(t, service.url, { jwks: undefined, jwksUri })
  const token = await google.idToken({ email: dana, audience: clientId })
  const { status, headers } = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  t.equal(status, 503)
  t.equal(headers.get('x-goog-iap-generated-response'), 'true')
})

t.test('with the emulator: from a program through IAP and Cloud Run to the route', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  const { jwksUri, iapJwksUri } = google
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(guardFastify, {
    audience,
    jwksUri,
    allowedCallers: [reports],
    iap: { audience: protectedByIap, jwksUri: iapJwksUri },
  })
  app.get('/', ({ caller: { email, source, header } }) => ({ email, source, header }))
  const target = await app.listen({ port: 0 })
  const members = ['allAuthenticatedUsers']
  const protection = { audience: protectedByIap, members, issuer: google }
  const { url } = await behindIap(t, target, { jwks: undefined, jwksUri, iap: protection })
  const call = async (email: string): Promise<object> => {
    const forIap = await google.idToken({ email, audience: 'iap.apps.googleusercontent.com' })
    const response = await fetch(url, { headers: { authorization: `Bearer ${forIap}` } })
    return (await response.json()) as object
  }
  const header = 'x-goog-iap-jwt-assertion'
  t.strictSame(await call(reports), { email: reports, source: 'iap', header })
  t.match(await call(dana), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' }, 'the list of the route')
  await google.rotateKeys({ keepOld: false })
  t.strictSame(await call(reports), { email: reports, source: 'iap', header }, 'after a rotation')
})

t.test('a wrong option is refused at start', async (t) => {
  const good = { target: 'http://127.0.0.1:9', audience, jwks: issuer.jwks, iap }
  for (const [options, message] of [
    [{ invokers: [] }, /^Option invokers is \[\]; accepted: nothing beside iap/],
    [{ allowUnauthenticated: true }, /^Option allowUnauthenticated is true; .*nothing beside iap/],
    [{ audience: undefined }, /^Option audience is missing/],
    [{ iap: { ...iap, member: [] } }, /^Option iap\.member is .*Did you mean members/],
    [{ iap: { ...iap, audience } }, /^Option iap\.audience is .*backendServices/],
    [{ iap: { ...iap, audience: [protectedByIap, protectedByIap] } }, /accepted: one audience/],
    [{ iap: { ...iap, members: undefined } }, /^Option iap\.members is missing/],
    [{ iap: { ...iap, members: ['allUsers'] } }, /^Option iap\.members .*not allUsers/],
    [{ iap: { ...iap, members: [dana] } }, /^Option iap\.members\[0\] is/],
    [{ iap: { ...iap, issuer: undefined } }, /^Option iap\.issuer is .*a test issuer/],
    [{ iap: { ...iap, issuer: { idToken: issuer.idToken } } }, /^Option iap\.issuer is/],
    [{ iap: { ...iap, issuer: { iapAssertion: issuer.iapAssertion } } }, /^Option iap\.issuer is/],
    [{ iap: { ...iap, clientId: '' } }, /^Option iap\.clientId is ''/],
    [{ iap: { ...iap, clientId: 7 } }, /^Option iap\.clientId is 7/],
  ] as const) {
    await t.rejects(
      startCloudRunFrontend({ ...good, ...options } as unknown as CloudRunFrontendOptions),
      { code: 'ID_TOKEN_OPTION_INVALID', message },
      message.source,
    )
  }
})
