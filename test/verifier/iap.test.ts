/** Behind Identity-Aware Proxy: its keys are fetched, kept and reported like those of ID tokens. */
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { assertion, DANA, IAP_AUDIENCE } from '../../fixtures/assertions.ts'
import { login, testOnlyKeys } from '../../fixtures/issuers.ts'
import { LOGIN, NOW } from '../../fixtures/row-spec.ts'
import { iapJwks, jwks } from '../../fixtures/rows.ts'
import guardFastify, {
  createVerifier,
  type IdTokenError,
  type StoredKeys,
  type VerifierOptions,
} from '../../src/index.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const HEADER = 'x-goog-iap-jwt-assertion'
const IAP_KEYS = 'https://www.gstatic.com/iap/verify/public_key-jwk'
const ID_TOKEN_KEYS = 'https://www.googleapis.com/oauth2/v3/certs'
const idToken = await login()

/** Both key endpoints, as they are asked. */
function endpoints(answers: Record<string, object | undefined> = {}) {
  const asked: string[] = []
  const all: Record<string, object | undefined> = {
    [IAP_KEYS]: iapJwks,
    [ID_TOKEN_KEYS]: jwks,
    ...answers,
  }
  const fetch = (uri: string): Promise<Response> => {
    asked.push(uri)
    const document = all[uri]
    return document === undefined
      ? Promise.reject(new TypeError('fetch failed'))
      : Promise.resolve(Response.json(document, { headers: { 'cache-control': 'max-age=3600' } }))
  }
  return { asked, options: { fetch: fetch as typeof globalThis.fetch } }
}

const options = {
  audience,
  allowedCallers: [LOGIN.email, { email: DANA.email }],
  iap: { audience: IAP_AUDIENCE },
  clock: () => new Date(NOW),
  logger: { warn: () => undefined },
}

function verifierWith(t: Test, others: Partial<VerifierOptions> = {}) {
  const verifier = createVerifier({ ...options, ...others })
  t.teardown(() => {
    verifier.close()
  })
  return verifier
}

function codeOf(error: unknown): string {
  return (error as IdTokenError).code
}

function reasonOf(error: unknown): unknown {
  return (error as IdTokenError).detail.found
}

const behindIap = { headers: { [HEADER]: assertion() } }
const pastIap = { headers: { authorization: `Bearer ${idToken}` } }

t.test('the caller says where the assertion was, and all that IAP has said', async (t) => {
  const verifier = verifierWith(t, endpoints().options)
  const caller = await verifier.authenticate(behindIap)
  t.match(caller, {
    email: DANA.email,
    subject: DANA.subject,
    audience: IAP_AUDIENCE,
    issuer: 'https://cloud.google.com/iap',
    header: HEADER,
    source: 'iap',
    signatureVerified: true,
    claims: { sub: `accounts.google.com:${DANA.subject}`, hd: 'example.com' },
  })
  t.ok(Object.isFrozen(caller) && Object.isFrozen(caller?.claims.google))
  t.match(await verifier.authenticate(pastIap), { source: 'id-token', header: 'authorization' })
})

t.test('each kind of token has the keys fetched that it needs, and no others', async (t) => {
  const google = endpoints()
  const verifier = verifierWith(t, google.options)
  await verifier.authenticate(behindIap)
  t.strictSame(google.asked, [IAP_KEYS])
  await verifier.authenticate(pastIap)
  await verifier.authenticate(behindIap)
  t.strictSame(google.asked, [IAP_KEYS, ID_TOKEN_KEYS])
  t.match(verifier.stats(), {
    keys: { state: 'fresh', keys: 2, fetches: 1 },
    iapKeys: { state: 'fresh', keys: 2, fetches: 1 },
  })
  t.notOk('iapKeys' in createVerifier({ audience, jwks }).stats(), 'only with the option')
})

t.test('an outage of one key endpoint does not affect the other kind of token', async (t) => {
  const withoutIap = verifierWith(t, endpoints({ [IAP_KEYS]: undefined }).options)
  t.equal(
    await withoutIap.authenticate(behindIap).catch(codeOf),
    'ID_TOKEN_KEYS_UNAVAILABLE',
    'nor is there a falling back to the ID token',
  )
  t.match(await withoutIap.authenticate(pastIap), { source: 'id-token' })
  await t.rejects(withoutIap.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  const withoutIdTokens = verifierWith(t, endpoints({ [ID_TOKEN_KEYS]: undefined }).options)
  t.match(await withoutIdTokens.authenticate(behindIap), { source: 'iap' })
  await t.rejects(withoutIdTokens.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
})

t.test('ready() has both fetched, and close() ends both', async (t) => {
  const google = endpoints()
  const verifier = verifierWith(t, google.options)
  await verifier.ready()
  t.strictSame(google.asked.sort(), [IAP_KEYS, ID_TOKEN_KEYS].sort())
  const hanging = verifierWith(t, { fetch: () => new Promise(() => undefined), fetchTimeout: 30 })
  const waiting = [behindIap, pastIap].map((one) => hanging.authenticate(one).catch(reasonOf))
  hanging.close()
  t.strictSame(await Promise.all(waiting), ['the verifier was closed', 'the verifier was closed'])
})

t.test(
  'a key that IAP has just published is fetched; a stranger’s token causes no fetch',
  async (t) => {
    let now = Date.parse(NOW)
    const [, before] = iapJwks.keys
    const answers: Record<string, object> = { [IAP_KEYS]: { keys: [before] } }
    const asked: string[] = []
    const verifier = verifierWith(t, {
      clock: () => new Date(now),
      fetch: ((uri: string) => {
        asked.push(uri)
        return Promise.resolve(Response.json(answers[uri] ?? jwks))
      }) as typeof globalThis.fetch,
    })
    await verifier.ready()
    answers[IAP_KEYS] = iapJwks
    t.match(await verifier.authenticate(behindIap), { source: 'iap' })
    t.equal(asked.filter((uri) => uri === IAP_KEYS).length, 2)
    now += 10_000
    const strange = assertion({ header: { kid: 'other' }, claims: { aud: 'another' } })
    t.equal(
      await verifier.authenticate({ headers: { [HEADER]: strange } }).catch(codeOf),
      'ID_TOKEN_KEY_UNKNOWN',
    )
    t.equal(asked.filter((uri) => uri === IAP_KEYS).length, 2)
  },
)

t.test('each key store holds the keys of one kind', async (t) => {
  const saved: Record<string, StoredKeys[]> = { idTokens: [], iap: [] }
  const storeOf = (name: string) => ({
    load: () => Promise.resolve(saved[name]?.at(-1) ?? null),
    save: (keys: StoredKeys) => Promise.resolve(void saved[name]?.push(keys)),
  })
  const stores = {
    keyStore: storeOf('idTokens'),
    iap: { ...options.iap, keyStore: storeOf('iap') },
  }
  await verifierWith(t, { ...stores, ...endpoints().options }).ready()
  t.strictSame(
    saved.iap?.[0]?.jwks.keys.map((key) => ({ ...key })),
    iapJwks.keys,
  )
  t.match(saved.idTokens?.[0]?.jwks.keys, [{ kty: 'RSA' }, { kty: 'RSA' }])
  const out = { [IAP_KEYS]: undefined, [ID_TOKEN_KEYS]: undefined }
  const cold = verifierWith(t, { ...stores, ...endpoints(out).options })
  t.match(await cold.authenticate(behindIap), { source: 'iap' }, 'a cold start in an outage')
  t.match(await cold.authenticate(pastIap), { source: 'id-token' })
})

t.test('both kinds share one cache, and neither is taken for the other', async (t) => {
  const verifier = verifierWith(t, { jwks, iap: { ...options.iap, jwks: iapJwks } })
  for (let use = 1; use <= 3; use += 1) {
    await verifier.authenticate(behindIap)
    await verifier.authenticate(pastIap)
  }
  t.strictSame(verifier.stats().tokenCache, { size: 2, max: 10_000 })
  const first = await verifier.authenticate(behindIap)
  t.equal(await verifier.authenticate(behindIap), first, 'remembered')
  const asIdToken = { headers: { authorization: `Bearer ${assertion()}` } }
  const asAssertion = { headers: { [HEADER]: idToken } }
  for (let use = 1; use <= 3; use += 1) {
    t.equal(await verifier.authenticate(asIdToken).catch(codeOf), 'ID_TOKEN_ALGORITHM_NOT_ALLOWED')
    t.equal(await verifier.authenticate(asAssertion).catch(codeOf), 'ID_TOKEN_MALFORMED')
  }
  await t.rejects(verifier.verify(assertion()), { code: 'ID_TOKEN_ALGORITHM_NOT_ALLOWED' })
  t.throws(() => verifier.verifyAnyCallerSync(assertion()), {
    code: 'ID_TOKEN_ALGORITHM_NOT_ALLOWED',
  })
})

t.test('prefetch fetches both, and start-up waits for both where it must', async (t) => {
  const google = endpoints()
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(guardFastify, { ...options, ...google.options, prefetch: 'required' })
  await app.ready()
  t.strictSame(google.asked.sort(), [IAP_KEYS, ID_TOKEN_KEYS].sort())

  const cold = Fastify()
  t.teardown(() => cold.close())
  const failing = endpoints({ [IAP_KEYS]: undefined }).options
  cold.register(guardFastify, { ...options, ...failing, prefetch: 'required' })
  await t.rejects(async () => cold.ready(), {
    message: /^prefetch is 'required', and no keys could be fetched/,
  })
})

t.test('a warning about keys says whose they are', async (t) => {
  const warnings: string[] = []
  const logger = { warn: (_finding: object, message: string) => void warnings.push(message) }
  const failing = endpoints({ [IAP_KEYS]: undefined }).options
  const verifier = verifierWith(t, { ...failing, logger })
  await t.rejects(verifier.ready())
  t.strictSame(warnings, ['no keys to verify assertions of IAP with: requests are answered 503'])
})

t.test('a refusal is logged with the header that decided', async (t) => {
  const logged: object[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, _reply, done) => {
    request.log.warn = (finding: object) => logged.push(finding)
    done()
  })
  app.register(guardFastify, { ...options, ...endpoints().options })
  app.get('/', () => 'ok')
  const authorization = `Bearer ${idToken}`
  await app.inject({ url: '/', headers: { authorization, [HEADER]: 'garbage' } })
  t.match(logged, [{ code: 'ID_TOKEN_MALFORMED', header: HEADER, route: '/', method: 'GET' }])
  t.notMatch(JSON.stringify(logged), idToken.split('.')[1])
})

t.test('explain tells of a request what it tells of a token', async (t) => {
  const verifier = verifierWith(t, { jwks, iap: { ...options.iap, jwks: iapJwks } })
  t.match(await verifier.explain(behindIap), {
    accepted: true,
    code: null,
    caller: { source: 'iap' },
  })
  t.match(
    (await verifier.explain(behindIap)).checks.map(({ result }) => result),
    [...Array<string>(11).fill('pass')],
  )
  const forged = assertion({ signature: () => Buffer.alloc(64, 1) })
  const explanation = await verifier.explain({ headers: { ...pastIap.headers, [HEADER]: forged } })
  t.match(explanation, { accepted: false, code: 'ID_TOKEN_SIGNATURE_INVALID', caller: null })
  t.equal(explanation.checks.find(({ result }) => result === 'fail')?.check, 'signature')
  t.notMatch(JSON.stringify(explanation), forged.split('.')[1])
  const anonymous = await verifier.explain({ headers: {} }, { optional: true })
  t.match(anonymous, { accepted: true, code: null, caller: null })
  t.ok(anonymous.checks.every(({ result }) => result === 'not reached'))
  t.match(await verifier.explain({ headers: {} }), { code: 'ID_TOKEN_MISSING' })
})

t.test('the remedies speak of IAP', async (t) => {
  const verifier = verifierWith(t, { jwks, iap: { ...options.iap, jwks: iapJwks } })
  const { testOnlyIapForeign } = testOnlyKeys
  const refusalOf = (headers: Record<string, string>): Promise<IdTokenError> =>
    verifier.authenticate({ headers }).then(
      () => t.fail('let in') as never,
      (error: unknown) => error as IdTokenError,
    )
  const ofPlatform = { sub: 'securetoken.google.com/shop-prod:abc' }
  for (const [special, remedy] of [
    [{ header: { kid: testOnlyIapForeign.kid } }, /^Identity-Aware Proxy \(IAP\) did not sign/],
    [{ header: { alg: 'HS256' } }, /^Identity-Aware Proxy \(IAP\) did not sign/],
    [{ claims: { iss: 'https://evil.example' } }, /^Identity-Aware Proxy \(IAP\) did not sign/],
    [{ claims: { aud: '/projects/1/apps/a' } }, /for another backend: the option iap\.audience/],
    [{ claims: { exp: 1, iat: 0 } }, /a new one for each request/],
    [{ claims: { exp: Date.parse(NOW) / 1000 + 3600 } }, /for ten minutes: this one is from else/],
    [{ claims: ofPlatform }, /without a Google account/],
    [{ claims: { email: 'e@example.com' } }, /^add the caller to allowedCallers/],
  ] as const) {
    const refused = await refusalOf({ [HEADER]: assertion(special) })
    t.match(refused.detail.remedy, remedy)
  }
  const inAuthorization = await refusalOf({ authorization: `Bearer ${assertion()}` })
  t.match(
    inAuthorization.detail.remedy,
    /counts in the header X-Goog-IAP-JWT-Assertion only, and with the option iap/,
  )
  const elsewhere = await refusalOf({ [HEADER]: assertion({ claims: { aud: 'x' } }) })
  t.match(elsewhere.detail, { caller: DANA.email, expected: [IAP_AUDIENCE], found: 'x' })
  const ofPerson = assertion({ claims: { aud: 'x', email: undefined } })
  t.match((await refusalOf({ [HEADER]: ofPerson })).detail, { caller: DANA.subject })
})
