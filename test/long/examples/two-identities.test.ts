/** A user's JWT in Authorization, verified by @fastify/jwt, beside the service that calls. */
import '../../helpers/package-from-source.ts'
import t from 'tap'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { audience, login, search } from '../../helpers/shop.ts'

const { buildLogin } = await import('../../../examples/two-identities/login.ts')
const { buildProfiles } = await import('../../../examples/two-identities/profiles.ts')
const { createUserKeys, signUser } = await import('../../../examples/two-identities/user-keys.ts')

const google = await startGoogleEmulator({ serviceAccount: login })
setEnvironment(t, google.env)
const { jwksUri } = google
const userKeys = createUserKeys()
const { publicKey: userKey } = userKeys
const profiles = await buildProfiles({ audience, jwksUri, userKey })
const target = await profiles.listen({ host: '127.0.0.1', port: 0 })
const invokers = [login, search].map((email) => `serviceAccount:${email}`)
const on = await startCloudRunFrontend({ target, audience, invokers, jwksUri })
const off = await startCloudRunFrontend({ target, allowUnauthenticated: true })
const loginApp = await buildLogin({ profiles: { url: on.url, audience }, userKey })
const loginUrl = await loginApp.listen({ host: '127.0.0.1', port: 0 })
t.teardown(async () => {
  await loginApp.close()
  await Promise.all([on.close(), off.close()])
  await profiles.close()
  await google.close()
})

interface Tokens {
  user?: string
  /** In X-Serverless-Authorization. */
  checked?: string
  /** In X-Profiles-Token. */
  twin?: string
}

async function call(url: string, { user, checked, twin }: Tokens): Promise<object> {
  const headers = new Headers()
  if (user !== undefined) headers.set('authorization', `Bearer ${user}`)
  if (checked !== undefined) headers.set('x-serverless-authorization', `Bearer ${checked}`)
  if (twin !== undefined) headers.set('x-profiles-token', `Bearer ${twin}`)
  const response = await fetch(`${url}/whoami`, { headers })
  return { status: response.status, ...((await response.json()) as object) }
}

const BOTH_KNOWN = {
  email: login,
  header: 'x-profiles-token',
  signatureVerified: true,
  user: 'user-7',
}

t.test('login calls for its user: the route knows both', async (t) => {
  const headers = { authorization: `Bearer ${await signUser(userKeys, 'user-7')}` }
  const response = await fetch(`${loginUrl}/me`, { headers })
  t.equal(response.status, 200)
  t.same(await response.json(), BOTH_KNOWN)
})

t.test('the IAM check on or off: both are verified', async (t) => {
  const user = await signUser(userKeys, 'user-7')
  const token = await google.idToken({ email: login, audience })
  for (const { url } of [on, off]) {
    t.same(await call(url, { user, checked: token, twin: token }), { status: 200, ...BOTH_KNOWN })
  }
})

t.test('a good caller does not make up for the user', async (t) => {
  const token = await google.idToken({ email: login, audience })
  const caller = { checked: token, twin: token }
  const forged = await signUser(createUserKeys(), 'user-7')
  const expired = await signUser(userKeys, 'user-7', '-5m')
  const refused = { status: 401, code: 'USER_UNKNOWN' }
  t.match(await call(on.url, caller), refused, 'no user')
  for (const user of [forged, expired, token]) {
    t.match(await call(on.url, { ...caller, user }), refused)
  }
  const answer = await fetch(`${loginUrl}/me`, { headers: { authorization: `Bearer ${forged}` } })
  t.equal(answer.status, 401)
})

t.test('a good user does not make up for the caller', async (t) => {
  const user = await signUser(userKeys, 'user-7')
  const token = await google.idToken({ email: login, audience })
  const another = await google.idToken({ email: search, audience })
  t.match(await call(on.url, { user, checked: another, twin: another }), {
    status: 403,
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
  })
  const removed = { status: 401, code: 'ID_TOKEN_SIGNATURE_REMOVED' }
  t.match(await call(on.url, { user, checked: token }), removed, 'no twin')
  t.match(await call(on.url, { user, checked: another, twin: token }), removed, 'another’s twin')
  t.match(
    await call(off.url, { user, twin: token }),
    { status: 401, code: 'ID_TOKEN_MALFORMED' },
    'a twin alone: Authorization decides, and there is the user',
  )
})
