/** Where ID tokens come from, what of it is a token, and what its times mean. */
import t from 'tap'
import { agreesWithClock, clockWarning, usableUntil } from '../../src/client/clock-difference.ts'
import { parseCredentials, type Credentials } from '../../src/client/parse-credentials.ts'
import { openIdTokenSource } from '../../src/client/id-token-source.ts'
import { impersonate } from '../../src/client/impersonate.ts'
import { parseIdToken } from '../../src/client/parse-id-token.ts'
import { sharedIdToken, type TokenOwner } from '../../src/client/share-id-tokens.ts'
import { withinTime } from '../../src/client/within-time.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'
import { audience, login } from '../helpers/shop.ts'

const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const unsigned = (claims: unknown): string => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.c2ln`
const nothing = (): Promise<object> => Promise.resolve({})

/** The code and the reason that something fails with. */
function failure(error: unknown): unknown {
  const { code, detail } = error as { code: string; detail: { reason?: string } }
  return [code, detail.reason]
}

t.test('an answer is a token, with space around it at most', (t) => {
  const token = unsigned({ aud: audience, exp: 2, iat: 1 })
  for (const answer of [token, ` ${token}\n`]) {
    t.strictSame(parseIdToken(answer), { token, audience, expiresAt: 2000, issuedAt: 1000 })
  }
  t.strictSame(parseIdToken(unsigned({ exp: 0 })).expiresAt, 0)
  for (const iat of ['1', null, Infinity]) {
    t.equal(parseIdToken(unsigned({ exp: 2, iat })).issuedAt, undefined)
  }
  const large = `${encoded({})}.${Buffer.from('{"exp":1e999}').toString('base64url')}.c2ln`
  for (const answer of [
    undefined,
    null,
    7,
    { token },
    '',
    'a.b',
    `${token}.a`,
    `${token}.a.b`,
    `${token}=`,
    token.replace('.', ' .'),
    token.replace(/\.[^.]*$/, '.'),
    'a.b.c',
    unsigned({}),
    unsigned([]),
    unsigned({ exp: '2' }),
    large,
  ]) {
    t.strictSame(failure(outcomeOf(() => parseIdToken(answer))), [
      'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
      'the answer is not an ID token',
    ])
  }
  t.end()
})

const HOUR = 3_600_000

t.test('a clock agrees with a token that is valid now', (t) => {
  const now = 10 * HOUR
  const received = (expiresAt: number, issuedAt?: number) => ({
    token: '',
    audience: '',
    expiresAt,
    issuedAt,
  })
  for (const [expiresAt, issuedAt, agrees, until] of [
    [now + 1, now, true, now + 1],
    [now, now - HOUR, false, now + HOUR],
    [now + HOUR, undefined, true, now + HOUR],
    [now + 2 * HOUR, now + 60_000, true, now + 2 * HOUR],
    [now + 2 * HOUR, now + 60_001, false, now + HOUR],
    [now + HOUR / 2, now + 60_001, false, now + HOUR / 2],
  ] as const) {
    t.equal(agreesWithClock(received(expiresAt, issuedAt), now), agrees)
    t.equal(usableUntil(received(expiresAt, issuedAt), now), until)
  }
  t.strictSame(clockWarning(received(now + 3 * HOUR, now + 2 * HOUR), now), {
    finding: { clockBehindSeconds: 7200 },
    message:
      'The clock of this machine is 2 hours behind: by that clock, a new ID token was issued in the future',
  })
  const rest =
    'the source of the tokens gives expired ones. The token is used all the same, and another one is fetched from time to time'
  t.strictSame(clockWarning(received(now - HOUR), now), {
    finding: { expiredSecondsAgo: 3600, issuedSecondsAgo: 7200 },
    message: `By the clock of this machine, a new ID token had expired 1 hour before it came: that clock is 2 hours ahead, or ${rest}`,
  })
  t.strictSame(clockWarning(received(now, now - 60_000), now), {
    finding: { expiredSecondsAgo: 0, issuedSecondsAgo: 60 },
    message: `By the clock of this machine, a new ID token had expired 0 seconds before it came: ${rest}`,
  })
  t.match(clockWarning(received(now, now - 61_000), now).message, /that clock is 1 minute 1 second/)
  t.end()
})

t.test('credentials are recognised by their methods', (t) => {
  const known = [
    { getClient: nothing },
    { fetchIdToken: nothing },
    { getAccessToken: nothing, request: nothing },
  ]
  for (const auth of known) t.equal(parseCredentials(auth), auth)
  for (const auth of [
    undefined,
    null,
    'a',
    nothing,
    {},
    { getClient: 1 },
    { getAccessToken: nothing },
    { request: nothing },
    { client_email: login, private_key: 'secret' },
  ]) {
    const message = String(outcomeOf(() => parseCredentials(auth)))
    t.match(message, /^Option auth is no such object/)
    t.notMatch(message, /secret/)
  }
  t.end()
})

interface Asked {
  readonly options: Record<string, unknown>
}

/** A client with an identity of its own, and what it was asked for. */
function accessTokenClient(members: object = {}) {
  const asked: Asked[] = []
  const client = {
    getAccessToken: nothing,
    request(this: unknown, options: never) {
      asked.push({ options })
      return Promise.resolve({ data: { token: this === client ? 'impersonated' : 'unbound' } })
    },
    ...members,
  }
  return { asked, client }
}

t.test('the request that impersonates a service account', async (t) => {
  const { asked, client } = accessTokenClient()
  t.equal(await impersonate(client, { email: login }).fetchIdToken(audience), 'impersonated')
  t.strictSame(asked, [
    {
      options: {
        url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${login}:generateIdToken`,
        method: 'POST',
        data: { audience, includeEmail: true, useEmailAzp: true },
        retry: true,
        retryConfig: { httpMethodsToRetry: ['POST'] },
      },
    },
  ])
  const urlFor = async (members: object, endpoint?: string): Promise<unknown> => {
    const { asked, client } = accessTokenClient(members)
    await impersonate(client, { email: 'a', endpoint }).fetchIdToken(audience)
    return asked[0]?.options.url
  }
  const path = '/v1/projects/-/serviceAccounts/a:generateIdToken'
  t.equal(await urlFor({ universeDomain: 'b.example' }), `https://iamcredentials.b.example${path}`)
  t.equal(
    await urlFor({ universeDomain: 'b.example' }, 'http://c.example'),
    `http://c.example${path}`,
  )
})

t.test('a client without scopes gets one', async (t) => {
  for (const [scopes, expected] of [
    [undefined, ['https://www.googleapis.com/auth/cloud-platform']],
    [[], ['https://www.googleapis.com/auth/cloud-platform']],
    ['', ['https://www.googleapis.com/auth/cloud-platform']],
    [['own'], []],
    ['own', []],
  ] as const) {
    const given: unknown[] = []
    const { client: inner } = accessTokenClient()
    const { client } = accessTokenClient({
      scopes,
      createScoped(scope: unknown) {
        given.push(scope)
        return inner
      },
    })
    t.equal(await impersonate(client, { email: 'a' }).fetchIdToken(audience), 'impersonated')
    t.strictSame(given, expected)
  }
})

t.test('how credentials get ID tokens', async (t) => {
  const asked: unknown[][] = []
  const provider = {
    fetchIdToken: async (...given: unknown[]) => {
      asked.push(given)
      return 'own'
    },
  }
  const token = async (auth: object, wanted?: { email: string; endpoint?: string }) =>
    openIdTokenSource(auth as Credentials, wanted).then(
      (source) => source(audience),
      (error: unknown) => (error as { code: string }).code,
    )
  t.equal(await token(provider), 'own')
  t.strictSame(asked, [[audience, { includeEmail: true }]])
  t.equal(await token({ getClient: async () => provider }), 'own', 'of what is found')
  t.equal(await token({ getAccessToken: nothing, idTokenProvider: provider }), 'own')
  const { client } = accessTokenClient()
  t.equal(await token(client, { email: login }), 'impersonated')
  t.equal(await token({ ...accessTokenClient().client, ...provider }), 'own')
  const unsupported = 'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED'
  t.equal(await token(client), unsupported, 'none of its own')
  t.equal(await token(provider, { email: login }), unsupported, 'its own is not the wanted one')
  t.equal(await token({ getClient: async () => ({}) }), unsupported)
  const withoutUrl = {
    ...accessTokenClient().client,
    getServiceAccountEmail: () => null,
    retrieveSubjectToken: nothing,
  }
  t.equal(await token(withoutUrl), unsupported)
})

t.test('one shared token for credentials, account and audience', async (t) => {
  const credentials = { fetchIdToken: async () => unsigned({ exp: 4e9 }) }
  const owner: TokenOwner = { credentials, serviceAccount: undefined, audience }
  const shared = sharedIdToken(owner)
  t.equal(sharedIdToken({ ...owner }), shared)
  const account = { email: login, endpoint: 'https://a.example' }
  const others = [
    { ...owner, credentials: { ...credentials } },
    { ...owner, audience: 'other' },
    { ...owner, serviceAccount: account },
    { ...owner, serviceAccount: { email: login } },
    { ...owner, serviceAccount: { ...account, email: 'other' } },
  ].map(sharedIdToken)
  t.equal(new Set([shared, ...others]).size, 6)
  t.equal(sharedIdToken({ ...owner, serviceAccount: { ...account } }), others[2])
  const terms = {
    refreshBefore: 0,
    timeout: 1_000,
    now: Date.now,
    steadyNow: Date.now,
    logger: { warn: () => undefined },
  }
  t.equal(await shared.get(terms), unsigned({ exp: 4e9 }))
  const last = { ...owner, credentials: { ...credentials } }
  const first = sharedIdToken(last)
  for (let n = 0; n < 999; n += 1) sharedIdToken({ ...last, audience: String(n) })
  t.equal(sharedIdToken(last), first, 'a thousand are shared')
  for (let n = 0; n < 1_000; n += 1) sharedIdToken({ ...last, audience: `other-${n}` })
  t.not(sharedIdToken(last), first)
})

t.test('a wait for a token has an end', async (t) => {
  t.equal(await withinTime(Promise.resolve('a'), { timeout: 60_000 }), 'a')
  const never = new Promise<string>(() => undefined)
  await t.rejects(withinTime(never, { timeout: 1 }), { code: 'SERVICE_CLIENT_TOKEN_TIMED_OUT' })
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(withinTime(never, { timeout: 60_000, signal }), { message: 'enough' })
})
