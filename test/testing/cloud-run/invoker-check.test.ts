/** Who is let through to the container, and with what. */
import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import googleIdToken from '../../../src/index.ts'
import {
  startCloudRunFrontend,
  startGoogleEmulator,
  type CloudRunFrontend,
  type CloudRunFrontendOptions,
} from '../../../src/testing.ts'
import {
  bearer,
  errorPage,
  frontOf,
  jwks,
  serviceOf,
  stripped,
  token,
  UNAVAILABLE,
  type FrontOptions,
} from '../../helpers/cloud-run-front.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { ada, audience, login, search } from '../../helpers/shop.ts'
import { issuer, otherIssuer } from '../../helpers/issuer.ts'

const CHALLENGE =
  'Bearer error="invalid_token" error_description="The access token could not be verified"'

t.test('what the container receives', async (t) => {
  const other = 'Bearer of-the-application'
  const open = { allowUnauthenticated: true }
  type Sent = Record<string, string>
  const rows: [what: string, options: FrontOptions, sent: Sent, received: Sent][] = [
    [
      'the check on, a token in Authorization',
      {},
      { authorization: bearer },
      { authorization: stripped(bearer) },
    ],
    [
      'the check on, a token in X-Serverless-Authorization, something else in Authorization',
      {},
      { 'x-serverless-authorization': bearer, authorization: other },
      { 'x-serverless-authorization': stripped(bearer), authorization: other },
    ],
    [
      'the check on, the same token in both',
      {},
      { 'x-serverless-authorization': bearer, authorization: bearer },
      { 'x-serverless-authorization': stripped(bearer), authorization: bearer },
    ],
    [
      'the scheme as it is sent',
      {},
      { authorization: `bEARER  ${token}` },
      { authorization: stripped(`bEARER  ${token}`) },
    ],
    ['the check off, Authorization', open, { authorization: bearer }, { authorization: bearer }],
    [
      'allUsers may invoke',
      { invokers: ['allUsers'] },
      { authorization: bearer },
      { authorization: bearer },
    ],
    [
      'the check off, X-Serverless-Authorization',
      open,
      { 'x-serverless-authorization': bearer },
      { 'x-serverless-authorization': stripped(bearer) },
    ],
    [
      'the check off, no token in X-Serverless-Authorization',
      open,
      { 'x-serverless-authorization': 'Bearer a.b' },
      { 'x-serverless-authorization': 'Bearer a.b' },
    ],
    ['the check off, nothing', open, {}, {}],
    [
      'another header of the application',
      {},
      { authorization: bearer, 'x-caller-identity': bearer },
      { authorization: stripped(bearer), 'x-caller-identity': bearer },
    ],
  ]
  for (const [what, options, headers, received] of rows) {
    const { requests, url } = await serviceOf(t)
    const front = await frontOf(t, url, options)
    t.equal((await fetch(front.url, { headers })).status, 200, what)
    const names = ['authorization', 'x-serverless-authorization', 'x-caller-identity']
    const container = requests[0]?.headers ?? {}
    t.strictSame(
      Object.fromEntries(Object.entries(container).filter(([name]) => names.includes(name))),
      received,
      what,
    )
  }
})

t.test('refusals are those of Cloud Run, and reach nobody', async (t) => {
  const { requests, url } = await serviceOf(t)
  const front = await frontOf(t, url)
  const port = Number(new URL(front.url).port)
  const make = (claims: Partial<Parameters<typeof issuer.idToken>[0]>): Promise<string> =>
    issuer.idToken({ email: login, audience, ...claims })
  type Headers = [name: string, value: string][]
  const rows: [what: string, status: 401 | 403, headers: Headers][] = [
    ['no token', 403, []],
    ['another scheme', 403, [['Authorization', 'Basic bG9naW46c2VjcmV0']]],
    ['an empty header', 403, [['Authorization', '']]],
    [
      'an empty header that decides',
      403,
      [
        ['X-Serverless-Authorization', ''],
        ['Authorization', bearer],
      ],
    ],
    [
      'another audience',
      401,
      [['Authorization', `Bearer ${await make({ audience: `${audience}/x` })}`]],
    ],
    ['an expired token', 401, [['Authorization', `Bearer ${await make({ expiresIn: -61 })}`]]],
    ['an access token', 401, [['Authorization', 'Bearer ya29.a0AfH6SMBverylongtoken']]],
    ['no token after the scheme', 401, [['Authorization', 'Bearer']]],
    ['a token without its signature', 401, [['Authorization', stripped(bearer)]]],
    [
      'the token of another issuer',
      401,
      [['Authorization', `Bearer ${await otherIssuer.idToken({ email: login, audience })}`]],
    ],
    [
      'a bad token in the header that decides',
      401,
      [
        ['Authorization', bearer],
        ['X-Serverless-Authorization', `${bearer}x`],
      ],
    ],
    [
      'a repeated header',
      401,
      [
        ['Authorization', bearer],
        ['authorization', bearer],
      ],
    ],
    [
      'a repeated header that decides',
      401,
      [
        ['X-Serverless-Authorization', bearer],
        ['x-serverless-authorization', bearer],
      ],
    ],
    ['no role', 403, [['Authorization', `Bearer ${await make({ email: search })}`]]],
    ['no role, no email', 403, [['Authorization', `Bearer ${await make({ email: undefined })}`]]],
    [
      'an email that is not verified',
      403,
      [
        [
          'Authorization',
          `Bearer ${await make({ subject: '1'.repeat(21), claims: { email_verified: false } })}`,
        ],
      ],
    ],
  ]
  for (const [what, status, headers] of rows) {
    const path = `/a"<b>'&/?access_token=${token}`
    const { status: found, headers: answered, body } = await rawRequest(port, { path, headers })
    t.equal(found, status, what)
    const shown = '<code>/a&#34;&#60;b&#62;&#39;&#38;/</code>'
    const expected =
      status === 401
        ? errorPage(
            401,
            'Unauthorized',
            `Your client does not have permission to the requested URL ${shown}.`,
          )
        : errorPage(
            403,
            'Forbidden',
            `Your client does not have permission to get URL ${shown} from this server.`,
          )
    t.equal(body, expected, what)
    t.equal(answered['www-authenticate'], status === 401 ? CHALLENGE : undefined, what)
    t.match(answered, { 'content-type': 'text/html; charset=UTF-8', server: 'Google Frontend' })
  }
  t.equal(requests.length, 0)

  const accepted = [
    await make({}),
    await make({ audience: `${audience}/` }),
    await make({ email: undefined, subject: await subjectOf(login) }),
  ]
  for (const one of accepted) {
    const headers = { authorization: `Bearer ${one}` }
    t.equal((await fetch(front.url, { headers })).status, 200)
  }
})

/** The unique id of an account, as the test issuer has it. */
async function subjectOf(email: string): Promise<string> {
  const [, payload = ''] = (await issuer.idToken({ email, audience })).split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

t.test('who has roles/run.invoker', async (t) => {
  const service = await serviceOf(t)
  const bot = 'bot@other.iam.gserviceaccount.com'
  const rows: [invokers: NonNullable<FrontOptions['invokers']>, allowed: string[]][] = [
    [[], []],
    [[`serviceAccount:${login}`], [login]],
    [[login], [login]],
    [[await subjectOf(login)], [login]],
    [[`user:${ada}`], [ada]],
    [
      [{ email: ada }, search],
      [ada, search],
    ],
    [['*@shop-prod.iam.gserviceaccount.com'], [login, search]],
    [['allAuthenticatedUsers'], [login, search, ada, bot, 'nobody']],
    [['allUsers'], [login, search, ada, bot, 'nobody', 'no token']],
  ]
  for (const [invokers, allowed] of rows) {
    const front = await frontOf(t, service.url, { invokers })
    for (const email of [login, search, ada, bot, 'nobody', 'no token']) {
      const headers: Record<string, string> = {}
      if (email !== 'no token') {
        const claims = email === 'nobody' ? {} : { email }
        headers.authorization = `Bearer ${await issuer.idToken({ ...claims, audience })}`
      }
      const { status } = await fetch(front.url, { headers })
      t.equal(status, allowed.includes(email) ? 200 : 403, `${JSON.stringify(invokers)}: ${email}`)
    }
  }
})

t.test('the plugin behind it', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  const { jwksUri } = google
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(googleIdToken, { audience, allowedCallers: [login], jwksUri })
  app.get('/profiles', (request) => request.caller)
  const target = await app.listen({ port: 0 })
  const idToken = `Bearer ${await google.idToken({ email: login, audience })}`
  const get = async (front: CloudRunFrontend, headers: Record<string, string>) => {
    const response = await fetch(`${front.url}/profiles`, { headers })
    return { status: response.status, body: (await response.json()) as object }
  }
  const keys = { jwks: undefined, jwksUri }
  const front = await frontOf(t, target, keys)
  t.match(await get(front, { authorization: idToken, 'x-serverless-authorization': idToken }), {
    status: 200,
    body: { email: login, signatureVerified: true, header: 'authorization' },
  })
  for (const name of ['authorization', 'x-serverless-authorization']) {
    t.match(await get(front, { [name]: idToken }), {
      status: 401,
      body: { code: 'ID_TOKEN_SIGNATURE_REMOVED' },
    })
  }
  const open = await frontOf(t, target, { ...keys, allowUnauthenticated: true })
  t.match(await get(open, { authorization: idToken }), { status: 200 })
  t.match(await get(open, {}), { status: 401, body: { code: 'ID_TOKEN_MISSING' } })

  const fault = google.fault('certs', { status: 500 })
  const cold = await frontOf(t, target, keys)
  const warned = once(process, 'warning')
  const unavailable = await fetch(cold.url, { headers: { authorization: idToken } })
  t.match(unavailable, { status: 503 })
  t.equal(await unavailable.text(), UNAVAILABLE)
  const [warning] = (await warned) as [Error]
  t.notMatch(JSON.stringify([warning.message, warning.stack]), idToken.slice(7, 40))
  fault()
})

t.test('time is that of the clock', async (t) => {
  const { url } = await serviceOf(t)
  const front = await frontOf(t, url, { clock: () => new Date(Date.now() + 7_200_000) })
  t.equal((await fetch(front.url, { headers: { authorization: bearer } })).status, 401)
})

t.test('a wrong option fails at start', async (t) => {
  const good = { target: 'http://127.0.0.1:8080', audience, invokers: [login], jwks }
  const rows: [options: object, message: RegExp][] = [
    [{ tagret: 'http://127.0.0.1' }, /^Option tagret is .*only the names target,/],
    [{ target: undefined }, /^Option target is missing; accepted: an http URL on a loopback host/],
    [{ target: 'nowhere' }, /^Option target is 'nowhere'/],
    [{ target: 'http://10.0.0.1:8080' }, /^Option target is 'http:\/\/10/],
    [{ target: 'https://127.0.0.1:8080' }, /^Option target is 'https:/],
    [{ target: 'http://127.0.0.1:8080/path' }, /^Option target is .*without a path/],
    [{ audience: undefined }, /^Option audience is missing/],
    [{ invokers: undefined }, /^Option invokers is missing; accepted: a list of IAM members/],
    [{ invokers: login }, /^Option invokers is 'login@/],
    [
      { invokers: [login, 'group:a@b.com'] },
      /^Option invokers\[1\] is 'group:a@b\.com'.*known to Google/,
    ],
    [{ invokers: ['*'] }, /^Option invokers\[0\] is '\*'/],
    [{ invokers: ['user:Ada@example.com'] }, /^Option invokers\[0\] is 'user:Ada@example\.com'/],
    [{ invokers: [1] }, /^Option invokers\[0\] is 1;/],
    [{ jwks: undefined, jwksUri: 'http://10.0.0.1/' }, /^Option jwksUri is/],
    [
      { allowUnauthenticated: 'yes' },
      /^Option allowUnauthenticated is 'yes'; accepted: true or false/,
    ],
    [{ port: 65_536 }, /^Option port is 65536/],
    [{ host: '0.0.0.0' }, /^Option host is '0\.0\.0\.0'.*allowRemote/],
    [{ clock: 1 }, /^Option clock is 1/],
  ]
  for (const [options, message] of rows) {
    const wrong = { ...good, ...options } as CloudRunFrontendOptions
    await t.rejects(startCloudRunFrontend(wrong), { message })
  }
  const everywhere = await frontOf(t, good.target, { host: '0.0.0.0', allowRemote: true })
  t.match(everywhere.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const port = Number(new URL(everywhere.url).port)
  await t.rejects(startCloudRunFrontend({ ...good, port }), { code: 'EADDRINUSE' })
})
