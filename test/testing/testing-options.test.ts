/** Every option of the entry `testing`, with every kind of wrong value. */
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import {
  createTestIssuer,
  startCloudRunFrontend,
  startGoogleEmulator,
  type CloudRunFrontendOptions,
  type Fault,
  type GoogleEmulatorOptions,
  type TestIdToken,
  type TestIssuerOptions,
} from '../../src/testing.ts'
import { login as email, audience } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const google = await startGoogleEmulator()
t.teardown(() => google.close())

/** No option is any of these. */
const NEVER: readonly unknown[] = [null, NaN, Symbol('x'), []]
const NO_TEXT = [...NEVER, 42, true, {}, '', () => 'x']
const NO_NUMBER = [...NEVER, '1', true, {}, -1, 1.5, Infinity, 2 ** 53, () => 1]
const NO_BOOLEAN = [...NEVER, 'true', 1, 0, {}, () => true]
const NO_CLOCK = [
  ...NEVER,
  42,
  'now',
  new Date(),
  () => 5,
  () => undefined,
  () => new Date(NaN),
  () => Promise.resolve(new Date()),
]
const NO_EMAIL = [...NO_TEXT, 'login', 'a b@c.de', 'a@b/c']
const NO_OBJECT = [...NEVER, 'x', 1, true]

type Wrong<Options> = { readonly [Name in keyof Required<Options>]: readonly unknown[] }

/** Each wrong value of each option is refused by a rejected promise that names it. */
async function refused<Options>(
  t: Test,
  start: (options: Options) => unknown,
  good: Options,
  wrong: Wrong<Options>,
  where = '',
): Promise<void> {
  const uncaught: unknown[] = []
  const onUncaught = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught)
  const rows = Object.entries<readonly unknown[]>({ ...wrong, optoin: [1] })
  for (const [name, values] of rows) {
    for (const value of values) {
      const error: unknown = await (async () => start({ ...good, [name]: value }))().catch(
        (reason: unknown) => reason,
      )
      t.ok(error instanceof TypeError, `${name}: ${inspect(value)}`)
      const option = `${where}${name}`.replaceAll('.', '\\.')
      t.match(error, {
        code: 'ID_TOKEN_OPTION_INVALID',
        message: new RegExp(`^Option ${option}(?:\\[0\\])? (?:is|has) .*; accepted: .`),
      })
    }
  }
  for (const options of NO_OBJECT) {
    const all = (where || 'options.').slice(0, -1)
    await t.rejects(async () => start(options as Options), {
      message: new RegExp(`^Option ${all} is .*; accepted: an object with `),
    })
  }
  await new Promise(setImmediate)
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught)
  t.strictSame(uncaught, [])
}

const NO_PORT = [...NO_NUMBER, 65_536, '8080']
const NO_HOST = [...NO_TEXT, '0.0.0.0', '192.0.2.1', 'example.com', '[::1]', 'a b', 'a/b', '-a']

t.test('startGoogleEmulator', async (t) => {
  const wrong: Wrong<GoogleEmulatorOptions> = {
    port: NO_PORT,
    host: NO_HOST,
    allowRemote: NO_BOOLEAN,
    serviceAccount: NO_EMAIL,
    projectId: [...NO_TEXT, 'Shop Prod', 'shop/prod', '-shop'],
    projectNumber: [...NO_NUMBER, 'abc', 0],
    platform: [...NO_TEXT, 'gke', 'constructor'],
    organizationNumber: [...NO_NUMBER, '1', 0],
    idTokenLifetime: [...NO_NUMBER, 0, 86_401],
    clock: NO_CLOCK,
  }
  await refused(t, startGoogleEmulator, {}, wrong)
  const remote = { ...wrong, host: [...NO_TEXT, '[::1]', 'a b', 'a/b', '-a'] }
  await refused(t, startGoogleEmulator, { allowRemote: true }, remote)
})

t.test('startCloudRunFrontend', async (t) => {
  const wrong: Wrong<CloudRunFrontendOptions> = {
    target: [...NO_TEXT, undefined, 'nowhere', 'https://127.0.0.1:1', 'http://127.0.0.1:1/a'],
    audience: [...NO_TEXT, [42], ['']],
    invokers: [null, NaN, {}, email, 42, [42], [null], ['group:a@b.com']],
    jwksUri: [...NO_TEXT, 'nowhere', 'http://example.com/certs'],
    allowHttpHosts: ['google', null, ['Google'], ['google:80'], ['*'], [7]],
    jwks: [...NO_TEXT, { keys: 1 }, { keys: [issuer.key] }],
    iap: NO_OBJECT,
    allowUnauthenticated: NO_BOOLEAN,
    port: NO_PORT,
    host: NO_HOST,
    allowRemote: NO_BOOLEAN,
    clock: NO_CLOCK,
  }
  const good = { target: 'http://127.0.0.1:9', audience, invokers: [email] }
  await refused(t, startCloudRunFrontend, good, wrong)
  await refused(t, startCloudRunFrontend, { ...good, allowUnauthenticated: true }, wrong)
  const { jwks } = issuer
  const both = { ...good, jwks, jwksUri: google.jwksUri }
  await t.rejects(startCloudRunFrontend(both), { message: /either jwks or jwksUri$/ })
  const named = { ...good, jwks: undefined, jwksUri: 'http://google:8080/certs' }
  await t.rejects(startCloudRunFrontend(named), { message: /allowHttpHosts/ })
  const front = await startCloudRunFrontend({ ...named, allowHttpHosts: ['google'] })
  await front.close()
  for (const missing of ['audience', 'invokers'] as const) {
    const message = new RegExp(`^Option ${missing} is missing; accepted: `)
    await t.rejects(startCloudRunFrontend({ ...good, [missing]: undefined }), { message })
  }
})

const { kty, kid, n, e, d } = issuer.key
const NO_KEY = [
  ...[...NEVER, 'x', 42, {}, { kty: 'oct', k: 'c2VjcmV0' }],
  ...[
    { kty, kid, n, e },
    { kty, kid, n, e, d: '' },
    { kty, kid, e, d },
    { kty, kid, n: 1, e, d },
  ],
]

t.test('createTestIssuer, and the tokens it makes', async (t) => {
  const wrong: Wrong<TestIssuerOptions> = {
    issuer: NO_TEXT,
    clock: NO_CLOCK,
    key: [...NO_KEY, { kty, n, e, d }, { kty, kid: '', n, e, d }],
  }
  await refused(t, createTestIssuer, {}, wrong)

  const token: Wrong<TestIdToken> = {
    audience: [...NO_TEXT, undefined],
    email: NO_TEXT,
    subject: NO_TEXT,
    expiresIn: [null, NaN, '60', Infinity, true, {}, new Date()],
    claims: NO_OBJECT,
    header: NO_OBJECT,
    key: NO_KEY,
  }
  for (const { idToken, rotateKeys } of [issuer, google]) {
    await refused(t, idToken, { audience }, token)
    await refused(t, rotateKeys, {}, { keepOld: NO_BOOLEAN })
  }
  const secret: unknown = await createTestIssuer({ key: { ...issuer.key, n: '' } }).catch(String)
  t.notMatch(secret, String(d).slice(0, 10))
})

t.test('the options of the methods of an emulator', async (t) => {
  const fault: Wrong<Fault> = {
    status: [...NO_NUMBER, 0, 199, 600],
    body: [Symbol('x'), () => 1, 1n],
    delayMs: [null, NaN, '5', -1, Infinity, 2 ** 31],
    hang: NO_BOOLEAN,
    reset: NO_BOOLEAN,
    times: [...NO_NUMBER, 0],
  }
  await refused(t, (options: Fault) => google.fault('certs', options), {}, fault, 'fault.')
  const cycle: unknown[] = []
  cycle.push(cycle)
  t.throws(() => google.fault('certs', { body: cycle }), { message: /^Option fault\.body is/ })
  for (const body of [null, 0, false, '', [], {}, 'x']) google.fault('certs', { body })()
  t.throws(() => google.fault(5 as never, {}), { message: /^Option endpoint is 5/ })
  t.equal((await fetch(google.jwksUri)).status, 200, 'nothing of it stays')

  await refused(
    t,
    (options) => google.workloadIdentityConfig(email, options),
    {},
    { impersonate: NO_BOOLEAN, subjectTokenFile: NO_TEXT },
  )
  await refused(
    t,
    (options) => google.authorizedUser(email, options),
    {},
    { honoursTargetAudience: NO_BOOLEAN },
  )
  await refused(
    t,
    (options: { member?: string }) => google.denyTokenCreation(email, options),
    {},
    { member: [...NO_TEXT, email, 'group:a@b.com', 'user:'] },
  )
  for (const value of NO_EMAIL) {
    const account = value as string
    for (const ask of [
      google.serviceAccountKey,
      google.workloadIdentityConfig,
      google.impersonatedCredentials,
      google.authorizedUser,
      google.denyTokenCreation,
      google.subjectToken,
    ]) {
      await t.rejects(async () => ask(account), {
        message: /^Option email is .*; accepted: an email/,
      })
    }
  }
})
