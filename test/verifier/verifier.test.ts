import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { jwks, optionsOf, rows, type FixtureRow } from '../../fixtures/rows.ts'
import { createVerifier } from '../../src/index.ts'
import { staticKeySet } from '../../src/keys/static-key-set.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { TokenVerifier } from '../../src/verifier/verify-token.ts'
import { silent, warnings } from '../helpers/captured-log.ts'
import { testKey } from '../helpers/issuer.ts'
import { audience, login as email, signup } from '../helpers/shop.ts'
import {
  clock,
  codeOf,
  issuer,
  requestWith,
  signed,
  time,
  verifierWith,
} from '../helpers/timed-verifier.ts'

t.beforeEach(time.reset)

/** The token of a row whose outcome no route, no other header and no fetch decides. */
function lonelyTokenOf({ headers, options, route, failingKeyEndpoint }: FixtureRow): string | null {
  if (options.trustRemovedSignature || route || failingKeyEndpoint !== undefined) return null
  const [[name, value] = ['', ''], ...more] = headers
  if (name !== 'authorization' || more.length > 0) return null
  return /^Bearer ([^ ,]+)$/.exec(value)?.[1] ?? null
}

function rowNamed(name: string): FixtureRow {
  const row = rows.find((one) => one.name === name)
  if (row === undefined) throw new Error(`no fixture row ${name}`)
  return row
}

t.test(
  'more keys than headers are remembered, and headers too long to be, change nothing',
  async (t) => {
    const issuers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        createTestIssuer({ key: { ...testKey, kid: `key-${n}` }, clock }),
      ),
    )
    const keys = issuers.flatMap(({ jwks }) => jwks.keys)
    const { verifyAnyCallerSync } = verifierWith({ jwks: { keys } })
    for (const header of [{}, { x5t: 'a'.repeat(400) }]) {
      const tokens = await Promise.all(
        issuers.map(({ idToken }) => idToken({ email, audience, header })),
      )
      for (const token of [...tokens, ...tokens]) t.equal(verifyAnyCallerSync(token).email, email)
      const [first = '', second = ''] = tokens
      const mixed = first.slice(0, first.indexOf('.')) + second.slice(second.indexOf('.'))
      t.equal(await codeOf(() => verifyAnyCallerSync(mixed)), 'ID_TOKEN_SIGNATURE_INVALID')
    }
  },
)

t.test('verifyAnyCaller and verifyAnyCallerSync verify a token of any caller', async (t) => {
  const verifier = verifierWith({ allowedCallers: ['other@shop-prod.iam.gserviceaccount.com'] })
  const token = await signed({ subject: '108612345678901234567' })
  const caller = await verifier.verifyAnyCaller(token)
  t.match(caller, {
    email,
    subject: '108612345678901234567',
    audience,
    issuer: 'https://accounts.google.com',
    issuedAt: time.seconds(),
    expiresAt: time.seconds() + 3600,
    signatureVerified: true,
    header: 'authorization',
    claims: { azp: '108612345678901234567', email_verified: true },
  })
  t.strictSame(verifier.verifyAnyCallerSync(token), caller)
  t.equal(await codeOf(() => verifier.verifyAnyCaller(`${token}A`)), 'ID_TOKEN_SIGNATURE_INVALID')
  t.throws(() => verifier.verifyAnyCallerSync(`${token}A`), { code: 'ID_TOKEN_SIGNATURE_INVALID' })
})

t.test('a token without an email names its account by its unique id', async (t) => {
  const caller = await verifierWith().verifyAnyCaller(await issuer.idToken({ audience }))
  t.equal(caller.email, undefined)
  t.match(caller.subject, /^[0-9]{21}$/)
})

t.test('what is no string is a malformed token, with a cache and without', async (t) => {
  for (const tokenCache of [false, undefined] as const) {
    const verifier = verifierWith({ tokenCache })
    for (const value of [undefined, null, 7, {}, [], ['a.b.c'], { length: 1 }, Symbol('token')]) {
      const token = value as unknown as string
      t.equal(await codeOf(() => verifier.verifyAnyCallerSync(token)), 'ID_TOKEN_MALFORMED')
      t.equal(await codeOf(() => verifier.verifyAnyCaller(token)), 'ID_TOKEN_MALFORMED')
      t.equal((await verifier.explain(token)).code, 'ID_TOKEN_MALFORMED')
    }
  }
})

t.test(
  'every row of the fixture table that holds one token is verified alone as in a request',
  async (t) => {
    const elsewhere = ['ID_TOKEN_CALLER_NOT_ALLOWED', 'ID_TOKEN_CALLER_UNIDENTIFIED']
    let verified = 0
    for (const row of rows) {
      const token = lonelyTokenOf(row)
      if (token === null) continue
      const expected = 'code' in row.outcome ? row.outcome.code : 'accepted'
      const verifier = createVerifier(optionsOf(row))
      const code = await codeOf(() => verifier.verifyAnyCallerSync(token))
      t.equal(code, elsewhere.includes(expected) ? 'accepted' : expected, row.name)
      verified += 1
    }
    t.ok(verified > 200, `${verified} rows`)
  },
)

t.test('authenticate: the default policy and those of routes', async (t) => {
  const verifier = verifierWith({ allowedCallers: [email] })
  const good = requestWith('Authorization', `Bearer ${await signed()}`)
  t.equal((await verifier.authenticate(good))?.email, email)
  t.equal(await codeOf(() => verifier.authenticate(requestWith())), 'ID_TOKEN_MISSING')
  t.equal(await verifier.authenticate(requestWith(), { optional: true }), null)
  t.equal(
    await codeOf(() => verifier.authenticate(good, { allowedCallers: [signup] })),
    'ID_TOKEN_CALLER_NOT_ALLOWED',
  )
  t.equal(
    await codeOf(() => verifier.authenticate(good, { audience: 'admin' })),
    'ID_TOKEN_AUDIENCE_MISMATCH',
  )
  await t.rejects(verifier.authenticate(good, { allowedCallers: [] }), TypeError)
  await t.rejects(verifier.authenticate(good, { optinal: true } as object), {
    message: /policy\.optinal.*allowedCallers, audience, optional/,
  })
})

t.test('authenticate without any list lets nobody in', async (t) => {
  const verifier = verifierWith()
  const request = requestWith('Authorization', `Bearer ${await signed()}`)
  await t.rejects(verifier.authenticate(request), { name: 'TypeError', message: /allowedCallers/ })
  await t.rejects(verifier.authenticate(request, { optional: true }), TypeError)
  await t.resolves(verifier.authenticate(request, { allowedCallers: [email] }))
})

t.test('a policy is compiled once: what happens to its object later changes nothing', async (t) => {
  const verifier = verifierWith()
  const allowedCallers = [email]
  const policy = { allowedCallers }
  const request = requestWith('Authorization', `Bearer ${await signed()}`)
  await verifier.authenticate(request, policy)
  allowedCallers[0] = '*'
  t.equal((await verifier.authenticate(request, policy))?.email, email)
})

t.test('authenticate reads requests without raw headers, as adapters make them', async (t) => {
  const verifier = verifierWith({ allowedCallers: [email] })
  const value = `Bearer ${await signed()}`
  const authenticate = (headers: object) =>
    verifier.authenticate({ headers } as unknown as IncomingMessage)
  t.equal((await authenticate({ authorization: value }))?.email, email)
  t.equal((await authenticate({ Authorization: [value], host: undefined }))?.email, email)
  const twice = { authorization: [value, value] }
  t.equal(await codeOf(() => authenticate(twice)), 'ID_TOKEN_REQUEST_MALFORMED')
  const inTwoCases = { authorization: value, Authorization: value }
  t.equal(await codeOf(() => authenticate(inTwoCases)), 'ID_TOKEN_REQUEST_MALFORMED')
})

t.test('explain tells each check: pass, fail with its remedy, not reached', async (t) => {
  const verifier = verifierWith({ allowedCallers: [email] })
  const results = ({ checks }: Awaited<ReturnType<typeof verifier.explain>>) =>
    Object.fromEntries(checks.map(({ check, result }) => [check, result]))

  const accepted = await verifier.explain(await signed())
  t.match(accepted, { accepted: true, code: null, caller: { email } })
  t.ok(accepted.checks.every(({ result }) => result === 'pass'))

  const expired = await verifier.explain(await signed({ expiresIn: -100 }))
  t.match(expired, { accepted: false, code: 'ID_TOKEN_EXPIRED', caller: null })
  t.strictSame(results(expired), {
    credentials: 'pass',
    shape: 'pass',
    algorithm: 'pass',
    key: 'pass',
    signature: 'pass',
    issuer: 'pass',
    audience: 'pass',
    expiry: 'fail',
    'not-before': 'not reached',
    lifetime: 'not reached',
    caller: 'not reached',
  })
  t.match(
    expired.checks.find(({ result }) => result === 'fail'),
    {
      code: 'ID_TOKEN_EXPIRED',
      found: /^exp [0-9]+, 1 minute 40 seconds ago$/,
      remedy: /fetch a new token/,
    },
  )

  const unlisted = await verifier.explain(
    await signed({ email: 'signup@a.iam.gserviceaccount.com' }),
  )
  t.match(unlisted.checks.at(-1), { check: 'caller', result: 'fail', expected: [email] })
})

t.test('explain without a list stops before the caller', async (t) => {
  const verifier = verifierWith()
  const { accepted, checks } = await verifier.explain(await signed())
  t.equal(accepted, true)
  t.strictSame(checks.at(-1), { check: 'caller', result: 'not reached' })
  t.equal(checks.at(-2)?.result, 'pass')
  const withList = await verifier.explain(await signed(), { allowedCallers: [email] })
  t.equal(withList.checks.at(-1)?.result, 'pass')
})

t.test('explain throws errors that are not refusals', async (t) => {
  let broken = false
  const verifier = verifierWith({
    clock: () => {
      if (broken) throw new RangeError('the clock is broken')
      return clock()
    },
  })
  broken = true
  await t.rejects(verifier.explain(await signed()), RangeError)
  await t.rejects(verifier.verifyAnyCaller(await signed()), RangeError)
})

t.test('a clock that stops giving the time refuses every token', async (t) => {
  const verifier = verifierWith()
  const token = await signed()
  t.ok(verifier.verifyAnyCallerSync(token))
  time.pass(NaN)
  t.equal(await codeOf(() => verifier.verifyAnyCallerSync(token)), 'ID_TOKEN_EXPIRED')
})

t.test('without usable keys the outcome is 503 with Retry-After, never 401 or 500', async (t) => {
  const verifier = createVerifier({
    audience,
    clock,
    fetch: () => Promise.resolve(new Response('', { status: 500 })),
    logger: silent,
  })
  const token = await signed()
  t.throws(() => verifier.verifyAnyCallerSync(token), {
    code: 'ID_TOKEN_KEYS_UNAVAILABLE',
    statusCode: 503,
  })
  await t.rejects(verifier.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  await t.rejects(verifier.verifyAnyCaller(token), {
    code: 'ID_TOKEN_KEYS_UNAVAILABLE',
    headers: { 'retry-after': /^[1-9][0-9]*$/ },
  })
  t.equal(
    (await verifier.explain(token)).checks.find(({ check }) => check === 'key')?.result,
    'fail',
  )
  t.equal(await codeOf(() => verifier.verifyAnyCallerSync('garbage')), 'ID_TOKEN_MALFORMED')
  verifier.close()
})

t.test(
  'stored keys verify tokens during an outage; a store that fails is only a warning',
  async (t) => {
    const { logger, lines } = warnings()
    const stored = { jwks: issuer.jwks, fetchedAt: time.now() - 1000, lifetimeSeconds: 3600 }
    const options = {
      jwks: undefined,
      fetch: () => Promise.resolve(new Response('', { status: 500 })),
      logger,
    }
    const save = () => Promise.reject(new Error('read-only'))
    const restored = verifierWith({
      ...options,
      keyStore: { load: () => Promise.resolve(stored), save },
    })
    t.equal((await restored.verifyAnyCaller(await signed())).email, email)
    restored.close()

    const answer = () => Promise.resolve(Response.json(issuer.jwks))
    const load = () => Promise.resolve(null)
    const fetched = verifierWith({ ...options, fetch: answer, keyStore: { load, save } })
    t.equal((await fetched.verifyAnyCaller(await signed())).email, email)
    await new Promise(setImmediate)
    t.strictSame(lines.at(-1)?.finding, { action: 'save', reason: 'read-only' })
    fetched.close()
  },
)

t.test('ready, stats and close with keys that were given', async (t) => {
  const verifier = createVerifier({ audience, jwks })
  await verifier.ready()
  t.strictSame(verifier.stats(), {
    keys: { state: 'static', keys: 2, fetches: 0, failures: 0, ageSeconds: null },
    tokenCache: { size: 0, max: 10_000 },
  })
  verifier.close()
  verifier.close()
})

t.test('a missing key is looked for only for a token that could be good', async (t) => {
  const lookedFor: string[] = []
  const { keys } = parseVerifierOptions({ audience, jwks })
  if (typeof keys === 'string') throw new Error('not static')
  let current = keys
  const tokenVerifier = new TokenVerifier({
    profile: GOOGLE_ID_TOKEN,
    rules: {
      issuers: ['https://accounts.google.com'],
      clockTolerance: 60,
      maxTokenLifetime: 86_400,
    },
    keys: {
      ...staticKeySet(keys),
      current: () => current,
      refetch: async (kid) => {
        lookedFor.push(kid)
        await Promise.resolve()
        current = parseVerifierOptions({ audience, jwks: issuer.jwks }).keys as typeof keys
      },
    },
    cache: null,
    now: time.now,
  })
  const as = { audiences: parseAudiences('audience', audience), header: 'authorization' } as const
  const bad = [
    signed({ expiresIn: -100 }),
    signed({ audience: 'a' }),
    signed({ header: { kid: 7 } }),
  ]
  for (const token of await Promise.all(bad)) {
    t.match(await tokenVerifier.verify(token, as), { code: 'ID_TOKEN_KEY_UNKNOWN' })
  }
  t.strictSame(lookedFor, [])
  const token = await signed()
  t.match(tokenVerifier.verifySync(token, as), { code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.strictSame(lookedFor, [issuer.key.kid])
  await new Promise(setImmediate)
  t.match(tokenVerifier.verifySync(token, as), { email })
})

t.test('trustRemovedSignature warns at every start', (t) => {
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => delete process.env.K_SERVICE)
  const { logger, lines } = warnings()
  const row = rowNamed('trusted-marker/in-serverless')
  createVerifier({ ...optionsOf(row), logger })
  createVerifier({ ...optionsOf(row), logger })
  const message = /trustRemovedSignature is on/
  t.match(lines, [{ message }, { message }])
  t.end()
})

t.test('without a logger a warning is one of the process', async (t) => {
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => delete process.env.K_SERVICE)
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  createVerifier(optionsOf(rowNamed('trusted-marker/in-serverless')))
  t.match(await warned, { name: 'GoogleIdTokenWarning', message: /trustRemovedSignature is on/ })
})
