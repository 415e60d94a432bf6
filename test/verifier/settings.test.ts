/** What options become: defaults, bounds, and the names in errors. */
import t from 'tap'
import { IAP_AUDIENCE } from '../../fixtures/assertions.ts'
import { iapJwks, jwks } from '../../fixtures/rows.ts'
import { IdTokenError, refusal } from '../../src/errors/id-token-error.ts'
import { CHECKS } from '../../src/errors/outcomes.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import type { Caller } from '../../src/policy/caller.ts'
import { explain } from '../../src/verifier/explain.ts'
import { acceptedOrThrow, whenKnown } from '../../src/verifier/outcome.ts'
import { createReported } from '../../src/verifier/report-outcome.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'
import { audience, login } from '../helpers/shop.ts'

const required = { audience, jwks }
const parse = (options: object) => parseVerifierOptions({ ...required, ...options })
const messageFor = (options: object) => outcomeOf(() => parse(options))

t.test('the defaults', (t) => {
  const settings = parseVerifierOptions({ audience })
  t.match(settings, {
    profile: GOOGLE_ID_TOKEN,
    keys: 'https://www.googleapis.com/oauth2/v3/certs',
    maxStale: 86_400_000,
    fetchTimeout: 3_000,
    iap: null,
    cacheSize: 10_000,
    twinHeader: 'authorization',
    trustRemovedSignature: false,
    realm: 'fastify-google-id-token',
    now: Date.now,
  })
  t.strictSame(settings.rules, {
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
    clockTolerance: 60,
    maxTokenLifetime: 86_400,
  })
  const { optional, reportOnly, allowedCallers, audiences } = settings.defaultPolicy
  t.strictSame([optional, reportOnly, allowedCallers], [false, false, null])
  t.strictSame(audiences.configured, [audience])
  t.strictSame([settings.keyStore, settings.meter], [undefined, undefined])
  t.end()
})

t.test('what is given, to the bounds', (t) => {
  for (const maxStale of [0, 604_800]) t.equal(parse({ maxStale }).maxStale, maxStale * 1000)
  for (const fetchTimeout of [0.1, 30]) {
    t.equal(parse({ fetchTimeout }).fetchTimeout, fetchTimeout * 1000)
  }
  for (const clockTolerance of [0, 300]) {
    t.equal(parse({ clockTolerance }).rules.clockTolerance, clockTolerance)
  }
  for (const maxTokenLifetime of [1, Number.MAX_SAFE_INTEGER]) {
    t.equal(parse({ maxTokenLifetime }).rules.maxTokenLifetime, maxTokenLifetime)
  }
  for (const max of [1, 1_000_000]) t.equal(parse({ tokenCache: { max } }).cacheSize, max)
  t.equal(parse({ tokenCache: false }).cacheSize, 0)
  t.strictSame(parse({ issuer: 'a' }).rules.issuers, ['a'])
  t.strictSame(parse({ allowedCallers: [login] }).defaultPolicy.allowedCallers?.configured, [login])
  const store = { load: async () => null, save: async () => undefined }
  t.equal(parse({ keyStore: store }).keyStore, store)
  const given = () => undefined
  const meter = {
    createCounter: given,
    createHistogram: given,
    createObservableGauge: given,
  }
  t.equal(parse({ meter }).meter, meter)
  t.equal(parse({ fetch: given }).fetch, given)
  const logger = { warn: given }
  t.equal(parse({ logger }).logger, logger)
  t.equal(parse({ clock: () => new Date(7) }).now(), 7)
  for (const twinHeader of ['authorization', 'Authorization']) {
    t.equal(parse({ twinHeader }).twinHeader, 'authorization')
  }
  t.equal(parse({ twinHeader: 'X-Twin' }).twinHeader, 'x-twin')
  for (const realm of ['a', ' !#[]~', 'a'.repeat(128)]) t.equal(parse({ realm }).realm, realm)
  t.equal([...(parse({}).keys as ReadonlyMap<string, unknown>).keys()].length, jwks.keys.length)
  t.equal(
    parseVerifierOptions({ audience, jwksUri: 'http://google/', allowHttpHosts: ['google'] }).keys,
    'http://google/',
  )
  t.end()
})

t.test('an error names the option and what is accepted', (t) => {
  const seconds = 'accepted: a number of seconds from'
  for (const [options, message] of [
    [{ maxStale: -1 }, `Option maxStale is -1; ${seconds} 0 to 604800`],
    [{ maxStale: 604_801 }, `Option maxStale is 604801; ${seconds} 0 to 604800`],
    [{ fetchTimeout: 0.09 }, `Option fetchTimeout is 0.09; ${seconds} 0.1 to 30`],
    [{ fetchTimeout: 31 }, `Option fetchTimeout is 31; ${seconds} 0.1 to 30`],
    [{ clockTolerance: 301 }, `Option clockTolerance is 301; ${seconds} 0 to 300`],
    [
      { maxTokenLifetime: 0.9 },
      `Option maxTokenLifetime is 0.9; ${seconds} 1 to ${Number.MAX_SAFE_INTEGER}`,
    ],
    [
      { issuer: '' },
      "Option issuer is ''; accepted: a non-empty string or a non-empty list of them",
    ],
    [
      { tokenCache: { max: 1_000_001 } },
      'Option tokenCache.max is 1000001; accepted: a whole number of tokens from 1 to 1000000, or tokenCache: false',
    ],
    [{ tokenCache: true }, 'Option tokenCache is true; accepted: false, or an object with max'],
    [{ trustRemovedSignature: 1 }, 'Option trustRemovedSignature is 1; accepted: true or false'],
    [{ jwksUri: 'https://a' }, "Option jwksUri is 'https://a'; accepted: either jwks or jwksUri"],
    [
      { jwks: {} },
      'Option jwks is refused: not a JWK set: no "keys" list; accepted: a JWK set with public RSA keys',
    ],
    [
      { iap: { audience: IAP_AUDIENCE, jwks: {} } },
      'Option iap.jwks is refused: not a JWK set: no "keys" list; accepted: a JWK set with public EC keys',
    ],
    [
      { iap: { audience: IAP_AUDIENCE, jwksUri: 'a' } },
      /^Option iap\.jwksUri is 'a'; accepted: an https URL/,
    ],
    [
      { iap: { audience: IAP_AUDIENCE, jwksUri: 'https://a', jwks: iapJwks } },
      "Option iap.jwksUri is 'https://a'; accepted: either jwks or jwksUri",
    ],
    [{ iap: { audience: IAP_AUDIENCE, keyStore: {} } }, /^Option iap\.keyStore is {}; /],
    [{ iap: null }, /^Option iap is null; accepted: an object with audience, jwksUri, jwks, keyS/],
    [{ keyStore: { load: () => null } }, /^Option keyStore is .* an object with load\(\) and sav/],
    [{ meter: { createCounter: () => null } }, /^Option meter is .*; accepted: an OpenTelemetry M/],
    [{ twinHeader: 'x-serverless-authorization' }, /^Option twinHeader is 'x-serverless-/],
    [{ twinHeader: 7 }, /^Option twinHeader is 7; /],
  ] as const) {
    t.match(messageFor(options), message)
  }
  for (const realm of ['', 'a"', 'a\\', 'a\n', 'ä', '\x7f', 'a'.repeat(129), 7, null]) {
    t.match(messageFor({ realm }), /^Option realm is .*; accepted: a string of 1 to 128 ASCII/s)
  }
  t.end()
})

t.test('a removed signature is trusted on Cloud Run only', (t) => {
  const { K_SERVICE: before } = process.env
  t.teardown(() => {
    if (before === undefined) delete process.env.K_SERVICE
    else process.env.K_SERVICE = before
  })
  delete process.env.K_SERVICE
  t.equal(parse({ trustRemovedSignature: false }).trustRemovedSignature, false)
  const refused = /^Option trustRemovedSignature is true; accepted: true on Cloud Run only/
  t.match(messageFor({ trustRemovedSignature: true }), refused)
  for (const nothing of ['', ' ']) {
    process.env.K_SERVICE = nothing
    t.match(messageFor({ trustRemovedSignature: true }), refused)
  }
  process.env.K_SERVICE = 'user-profiles'
  t.equal(parse({ trustRemovedSignature: true }).trustRemovedSignature, true)
  t.end()
})

t.test('what stands behind IAP', (t) => {
  const keyStore = { load: async () => null, save: async () => undefined }
  const other = { ...keyStore }
  const iap = { audience: IAP_AUDIENCE, keyStore: other }
  const settings = parse({ iap, keyStore }).iap
  t.match(settings, {
    profile: IAP_ASSERTION,
    keys: 'https://www.gstatic.com/iap/verify/public_key-jwk',
    keyStore: other,
  })
  t.equal(settings?.rules, IAP_ASSERTION)
  t.strictSame(settings?.audiences.configured, [IAP_AUDIENCE])
  t.strictSame([...(settings?.audiences.spellings ?? [])], [[IAP_AUDIENCE, IAP_AUDIENCE]])
  t.match(
    messageFor({ iap: { ...iap, keyStore }, keyStore }),
    "Option iap.keyStore is that of the option keyStore; accepted: a store of its own for IAP's keys",
  )
  t.equal(parse({ iap: { audience: IAP_AUDIENCE } }).iap?.keyStore, undefined)
  t.equal(
    parse({
      iap: { audience: IAP_AUDIENCE, jwksUri: 'http://google/' },
      allowHttpHosts: ['google'],
    }).iap?.keys,
    'http://google/',
  )
  for (const wrong of [
    '/projects/1/global/backendServices/2/3',
    '/projects/1/regions/US/backendServices/2',
    '/projects/1/regions//backendServices/2',
    '/projects//apps/a',
    '/projects/1/apps/-a',
    '/projects/1/apps/a/b',
    '/projects/1/locations/a b/services/c',
    '/projects/1/locations//services/c',
    '/projects/1/locations/a/services/C',
    'x/projects/1/apps/a',
  ]) {
    t.match(messageFor({ iap: { audience: wrong } }), /^Option iap\.audience is '/, wrong)
  }
  for (const right of [
    '/projects/12/global/backendServices/34',
    '/projects/1/regions/us-1/backendServices/2',
    '/projects/1/apps/a.b:c-1',
    '/projects/1/apps/a',
    '/projects/1/locations/eu-1/services/c-2',
  ]) {
    t.strictSame(parse({ iap: { audience: right } }).iap?.audiences.configured, [right])
  }
  t.end()
})

const caller = { email: login } as Caller

t.test('an explanation has every check: passed, failed, or not reached', (t) => {
  const resultsOf = (...[outcome, last]: Parameters<typeof explain>) => {
    const { checks, ...rest } = explain(outcome, last)
    t.strictSame(
      checks.map(({ check }) => check),
      CHECKS,
    )
    return { ...rest, results: checks.map(({ result }) => result) }
  }
  const [passed, notReached] = ['pass', 'not reached']
  const times = (result: string | undefined, count: number) => Array(count).fill(result) as unknown
  t.strictSame(resultsOf(caller, 'caller'), {
    accepted: true,
    code: null,
    caller,
    results: times(passed, CHECKS.length),
  })
  t.strictSame(resultsOf(caller, 'lifetime').results, [
    ...(times(passed, CHECKS.length - 1) as unknown[]),
    notReached,
  ])
  t.strictSame(resultsOf(null, 'caller'), {
    accepted: true,
    code: null,
    caller: null,
    results: times(notReached, CHECKS.length),
  })
  const position = CHECKS.indexOf('audience')
  const error = refusal('ID_TOKEN_AUDIENCE_MISMATCH', { expected: ['a'], found: 'b' })
  t.strictSame(resultsOf(error, 'caller'), {
    accepted: false,
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
    caller: null,
    results: [
      ...(times(passed, position) as unknown[]),
      'fail',
      ...(times(notReached, CHECKS.length - position - 1) as unknown[]),
    ],
  })
  t.strictSame(explain(error, 'caller').checks[position], {
    check: 'audience',
    result: 'fail',
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
    ...error.detail,
  })
  t.end()
})

t.test('every outcome is observed once, at its route, and a bug as well', async (t) => {
  const observed: unknown[][] = []
  const reported = createReported((...given) => {
    observed.push(given)
  }, 'shop')
  const at = { route: '/a', enforced: false }
  const byDefault = { route: undefined, enforced: true }
  const seen = () => observed.splice(0)
  t.equal(
    reported(() => caller),
    caller,
  )
  t.strictSame(seen(), [[null, caller, byDefault]])
  t.equal(await reported(() => Promise.resolve(caller), at), caller)
  t.strictSame(seen(), [[null, caller, at]])
  t.equal(await reported(() => Promise.resolve(null), at), null)
  t.strictSame(seen(), [[null, null, at]])
  for (const later of [false, true]) {
    const error = refusal('ID_TOKEN_MISSING')
    const verify = () => (later ? Promise.resolve(error) : error)
    t.equal(await reported(verify, at), error)
    t.equal(error.headers['www-authenticate'], 'Bearer realm="shop"')
    t.strictSame(seen(), [[error, null, at]])
  }
  const bug = new Error('bug')
  t.throws(
    () =>
      reported(() => {
        throw bug
      }, at),
    bug,
  )
  t.strictSame(seen(), [[bug, null, at]])
  await t.rejects(Promise.resolve(reported(() => Promise.reject(bug), at)), bug)
  t.strictSame(seen(), [[bug, null, at]])
})

t.test('a refusal is returned up to the methods that promise to throw', async (t) => {
  const error = refusal('ID_TOKEN_MISSING')
  t.equal(acceptedOrThrow(caller), caller)
  t.equal(acceptedOrThrow(null), null)
  t.throws(() => acceptedOrThrow(error), { code: 'ID_TOKEN_MISSING' })
  t.type(error, IdTokenError)
  t.equal(
    whenKnown(1, (one) => one + 1),
    2,
  )
  const later = whenKnown(Promise.resolve(1), (one) => one + 1)
  t.type(later, Promise)
  t.equal(await later, 2)
})
