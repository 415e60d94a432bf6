import { inspect } from 'node:util'
import t from 'tap'
import { jwks } from '../../fixtures/rows.ts'
import { testOnlyKeys } from '../../fixtures/issuers.ts'
import { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'
import { audience } from '../helpers/shop.ts'

/** What no type would let through. */
function create(options: unknown): unknown {
  return createVerifier(options as VerifierOptions)
}

t.test('a wrong option is named with its value and what is accepted', (t) => {
  const numberOfSeconds = (max: string) => new RegExp(`a number of seconds ${max}`)
  const strings = /a non-empty string or a non-empty list of them/
  const url = /an https URL without credentials, or http on a loopback host/
  const cases: [option: string, values: unknown[], accepted: RegExp][] = [
    ['audience', [undefined, null, '', [], 7, [7], [''], [audience, ''], ' a', 'a ', {}], strings],
    ['issuer', [null, '', [], 7, [null], [' ']], strings],
    [
      'allowedCallers',
      [[], 'login@shop-prod.iam.gserviceaccount.com', null, {}],
      /a non-empty list/,
    ],
    [
      'clockTolerance',
      [null, -1, -0.001, 300.001, 301, NaN, Infinity, '60', '5m', {}],
      numberOfSeconds('from 0 to 300'),
    ],
    ['maxTokenLifetime', [null, 0, -1, NaN, Infinity, '1h', {}], numberOfSeconds('from 1 to')],
    ['fetchTimeout', [null, 0, 0.09, 31, NaN, '3s'], numberOfSeconds('from 0.1 to 30')],
    ['maxStale', [null, -1, 604_801, NaN, '1d'], numberOfSeconds('from 0 to 604800')],
    ['tokenCache', [null, true, 7, 'no', [7]], /an object/],
    [
      'tokenCache.max',
      [{ max: 0 }, { max: -1 }, { max: 1.5 }, { max: '7' }, {}],
      /from 1 to 1000000, or tokenCache: false/,
    ],
    ['tokenCache.ttl', [{ max: 7, ttl: 7 }], /only the names max/],
    ['trustRemovedSignature', [1, 'true', null, {}], /true or false/],
    ['clock', [null, 7, {}, '2026-03-02'], /a function/],
    [
      'clock',
      [() => 7, () => new Date(NaN), () => undefined],
      /a function that returns a valid Date/,
    ],
    ['fetch', [null, 7, {}, 'https://example.com'], /a function/],
    ['meter', [7, {}, null, { createCounter: 7 }], /an OpenTelemetry Meter/],
    ['logger', [7, {}, null, { warn: true }], /a logger with warn\(object, message\)/],
    ['keyStore', [7, {}, { load: () => null }, { save: () => null }], /load\(\) and save\(keys\)/],
    [
      'jwksUri',
      [
        null,
        7,
        {},
        '',
        'certs',
        'file:///etc/keys.json',
        'data:application/json,{}',
        'ftp://127.0.0.1/',
        'http://www.googleapis.com/oauth2/v3/certs',
        'http://127.0.0.1.evil.example/',
        'http://localhost.evil.example/',
        'http://127.0.0.1@evil.example/',
        'http://128.0.0.1/',
        'http://[::2]/',
        'http://0.0.0.0/',
        'http://169.254.169.254/',
        'https://user:secret@www.googleapis.com/',
        'https://user@www.googleapis.com/',
        'https://:secret@www.googleapis.com/',
      ],
      url,
    ],
  ]
  for (const [option, values, accepted] of cases) {
    const [name = ''] = option.split('.')
    for (const value of values) {
      const message = new RegExp(
        `^Option ${option.replace('.', String.raw`\.`)} is .+; accepted: .*${accepted.source}`,
      )
      t.throws(
        () => create({ audience, [name]: value }),
        { name: 'TypeError', code: 'ID_TOKEN_OPTION_INVALID', message },
        `${option}: ${inspect(value)}`,
      )
    }
  }
  t.end()
})

t.test('the message shows the value, shortened if it is long', (t) => {
  t.throws(() => create({ audience, clockTolerance: 301 }), { message: /clockTolerance is 301;/ })
  t.throws(() => create({}), { message: /^Option audience is missing; accepted: / })
  t.throws(() => create({ audience: ` ${'x'.repeat(1000)}` }), { message: /^.{0,500}$/ })
  t.end()
})

t.test('options that nobody reads are refused, whatever their value', (t) => {
  for (const name of ['audiences', 'expectedAudience', 'allowedcallers', 'cache', '__proto__x']) {
    const message = new RegExp(`^Option ${name} is .*only the names audience, allowedCallers`)
    t.throws(() => create({ audience, [name]: undefined }), {
      message: new RegExp(`^Option ${name} is missing`),
    })
    t.throws(() => create({ audience, [name]: 7 }), { name: 'TypeError', message })
  }
  for (const value of [undefined, null, 7, 'audience', [audience]]) {
    t.throws(() => create(value), { name: 'TypeError', message: /^Option options is .*an object/ })
  }
  t.end()
})

t.test('a wrong policy is named with its value and what is accepted', async (t) => {
  const verifier = createVerifier({ audience, jwks })
  const cases: [policy: object, message: RegExp][] = [
    [{ optional: 'yes' }, /^Option policy\.optional is 'yes'; accepted: true or false/],
    [{ optional: null }, /^Option policy\.optional is null/],
    [{ audience: [] }, /^Option policy\.audience is \[\]; accepted: a non-empty string/],
    [{ audience: null }, /^Option policy\.audience is null/],
    [{ allowedCallers: [] }, /^Option policy\.allowedCallers is \[\]/],
    [{ allowedCallers: null }, /^Option policy\.allowedCallers is null/],
    [{ allowedCallers: ['*'] }, /^Option policy\.allowedCallers\[0\] is '\*'/],
    [{ allowedcallers: [] }, /^Option policy\.allowedcallers is \[\]; .*only the names/],
    [[], /^Option policy is \[\]; accepted: an object/],
  ]
  for (const [policy, message] of cases) {
    await t.rejects(verifier.explain('a.b.c', policy), { name: 'TypeError', message })
  }
})

t.test('what is accepted', (t) => {
  const accepted: Partial<VerifierOptions>[] = [
    { clockTolerance: 0 },
    { clockTolerance: 300 },
    { clockTolerance: undefined, issuer: undefined, jwks: undefined, tokenCache: undefined },
    { maxTokenLifetime: 1 },
    { maxStale: 0 },
    { fetchTimeout: 0.1 },
    { fetchTimeout: 30 },
    { tokenCache: false },
    { tokenCache: { max: 1 } },
    { trustRemovedSignature: false },
    { keyStore: { load: () => Promise.resolve(null), save: () => Promise.resolve() } },
    { audience: ['a', 'b'] },
    { issuer: 'http://127.0.0.1:9000' },
    ...[
      'https://www.googleapis.com/oauth2/v3/certs',
      'http://127.0.0.1:9000/certs',
      'http://127.9.9.9/',
      'http://[::1]:9000/',
      'http://localhost:9000/',
      'http://LOCALHOST/',
    ].map((jwksUri) => ({ jwksUri })),
  ]
  for (const options of accepted) t.doesNotThrow(() => create({ audience, ...options }))
  t.end()
})

t.test('the defaults are those of the contract', (t) => {
  const settings = parseVerifierOptions({ audience })
  t.strictSame(settings.rules, {
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
    clockTolerance: 60,
    maxTokenLifetime: 86_400,
  })
  t.match(settings, {
    keys: 'https://www.googleapis.com/oauth2/v3/certs',
    cacheSize: 10_000,
    trustRemovedSignature: false,
    maxStale: 86_400_000,
    fetchTimeout: 3_000,
  })
  t.equal(settings.defaultPolicy.allowedCallers, null)
  t.end()
})

t.test('the global fetch is looked up at each call', async (t) => {
  const { fetch } = parseVerifierOptions({ audience })
  t.intercept(globalThis, 'fetch', { value: () => Promise.resolve(new Response('patched')) })
  t.equal(await (await fetch('http://127.0.0.1/')).text(), 'patched')
})

t.test('credentials in a URL are refused, and not printed', (t) => {
  for (const credentials of ['user:hunter2', 'hunter2', ':hunter2']) {
    t.throws(() => create({ audience, jwksUri: `https://${credentials}@www.googleapis.com/` }), {
      message: /^Option jwksUri is a URL with credentials; accepted: (?!.*hunter2)/,
    })
  }
  t.end()
})

t.test('jwks and jwksUri exclude each other', (t) => {
  const jwksUri = 'https://www.googleapis.com/oauth2/v3/certs'
  t.throws(() => create({ audience, jwks, jwksUri }), {
    message: /^Option jwksUri is .*v3\/certs.*either jwks or jwksUri/,
  })
  t.end()
})

t.test('a private or symmetric key in jwks is refused, and not printed', (t) => {
  const { testOnlyPublished: key } = testOnlyKeys
  const secret = { kty: 'oct', kid: 'a', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ' }
  for (const keys of [[key], [...jwks.keys, key], [...jwks.keys, secret]]) {
    try {
      create({ audience, jwks: { keys } })
      t.fail('accepted')
    } catch (error) {
      const { message } = error as Error
      t.match(message, /^Option jwks is refused: .*private or symmetric key; accepted: /)
      for (const member of [key.d, key.p, key.n, secret.k])
        t.notOk(message.includes(String(member)))
    }
  }
  for (const value of [null, [], {}, { keys: [] }, { keys: {} }, { keys: [7] }, 'https://a']) {
    t.throws(() => create({ audience, jwks: value }), { message: /^Option jwks is refused: / })
  }
  t.end()
})

t.test('trustRemovedSignature is refused outside Cloud Run', (t) => {
  for (const service of [undefined, '']) {
    if (service !== undefined) process.env.K_SERVICE = service
    else delete process.env.K_SERVICE
    t.teardown(() => delete process.env.K_SERVICE)
    t.throws(() => create({ audience, jwks, trustRemovedSignature: true }), {
      message: /^Option trustRemovedSignature is true; accepted: .*K_SERVICE is not set/,
    })
  }
  t.end()
})

t.test('nothing in the environment changes whom a verifier trusts', (t) => {
  const environment = { ...process.env }
  t.teardown(() => (process.env = environment))
  const plain = (settings: object) => JSON.stringify(settings)
  const before = plain(parseVerifierOptions({ audience }))
  process.env = new Proxy(
    { ...environment },
    { get: (_, name) => (typeof name === 'string' ? 'https://evil.example' : undefined) },
  )
  t.equal(plain(parseVerifierOptions({ audience })), before)
  t.end()
})

t.test('an audience list is copied: what happens to it later changes nothing', (t) => {
  const list = [audience]
  const { defaultPolicy } = parseVerifierOptions({ audience: list })
  list[0] = 'https://evil.example'
  t.strictSame(defaultPolicy.audiences.configured, [audience])
  t.ok(Object.isFrozen(defaultPolicy.audiences.configured))
  t.end()
})
