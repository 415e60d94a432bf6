import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { well, startKeyServer, type KeyServer } from '../../bench/faults/key-server.ts'
import googleIdToken, { createVerifier, type IdTokenError } from '../../src/index.ts'
import { Backoff } from '../../src/pacing/backoff.ts'
import { freshenedHeaders, loadFreshnessLifetime } from '../../src/keys/freshness.ts'
import type { KeyStore, StoredKeys } from '../../src/keys/key-store.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { RS256 } from '../../src/keys/signature-algorithms.ts'
import { RefetchBudget } from '../../src/pacing/refetch-budget.ts'
import { RemoteKeySet, type RemoteKeySetOptions } from '../../src/keys/remote-key-set.ts'
import { steadyClock } from '../../src/pacing/steady-clock.ts'
import { createTestIssuer, type TestIssuer } from '../../src/testing.ts'

const audience = 'https://search.run.app'
const email = 'login@shop-prod.iam.gserviceaccount.com'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const issuer = await createTestIssuer()
const otherIssuer = await createTestIssuer()

async function keyServer(t: Test, of: TestIssuer = issuer): Promise<KeyServer> {
  const server = await startKeyServer(of.jwks)
  t.teardown(() => server.close())
  return server
}

/** A key set in a time of its own. */
function keySet(t: Test, uri: string, options: Partial<RemoteKeySetOptions> = {}) {
  let time = Date.parse('2026-11-23T12:00:00Z')
  const events: string[] = []
  const keys = new RemoteKeySet({
    uri,
    algorithm: RS256,
    fetch,
    maxStale: 24 * HOUR,
    keyStore: undefined,
    events: {
      refreshed: ({ lifetime }) => events.push(`refreshed for ${Math.round(lifetime / 1000)} s`),
      failed: ({ reason, state }) => events.push(`failed while ${state}: ${reason}`),
      storeFailed: (action, reason) => events.push(`${action}: ${reason}`),
    },
    now: () => time,
    steadyNow: () => time,
    timeout: 500,
    random: () => 0.5,
    ...options,
  })
  t.teardown(() => {
    keys.close()
  })
  return {
    keys,
    events,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    now: () => time,
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

t.test('freshness follows RFC 9111 within bounds', async (t) => {
  const freshnessLifetime = await loadFreshnessLifetime()
  const date = 'Mon, 23 Nov 2026 12:00:00 GMT'
  const rows: [headers: Record<string, string>, seconds: number][] = [
    [{ 'cache-control': 'public, max-age=23641, must-revalidate, no-transform' }, 23_641],
    [{ 'cache-control': 'max-age=23641', age: '3641' }, 20_000],
    [{ 'cache-control': 'MAX-AGE=300' }, 300],
    [{ 'cache-control': 'private, max-age=300' }, 300],
    [{ expires: 'Mon, 23 Nov 2026 13:00:00 GMT', date }, 3_600],
    [{ 'cache-control': 'max-age=120', expires: 'Mon, 23 Nov 2026 13:00:00 GMT', date }, 120],
    [{}, 600],
    [{ 'cache-control': 'public' }, 600],
    [{ 'last-modified': 'Mon, 23 Nov 2020 12:00:00 GMT', date }, 600],
    [{ 'cache-control': 'max-age=0' }, 60],
    [{ 'cache-control': 'max-age=59' }, 60],
    [{ 'cache-control': 'no-store, max-age=3600' }, 60],
    [{ 'cache-control': 'no-cache' }, 60],
    [{ 'cache-control': 'max-age=nonsense' }, 60],
    [{ 'cache-control': 'max-age=600', age: '9999' }, 60],
    [{ expires: '0', date }, 60],
    [{ 'cache-control': 'max-age=99999999999' }, 86_400],
  ]
  for (const [headers, seconds] of rows) {
    t.equal(Math.round(freshnessLifetime(headers) / 1000), seconds, JSON.stringify(headers))
  }
  t.strictSame(
    freshenedHeaders({ age: '500', etag: '"1"', 'cache-control': 'max-age=600' }, { date }),
    { etag: '"1"', 'cache-control': 'max-age=600', date },
    'a 304 makes the old headers new, but not their age',
  )
})

t.test('back-off doubles up to a minute, with full jitter', async (t) => {
  const waits = (random: number): number[] => {
    const backoff = new Backoff(() => random)
    return Array.from({ length: 9 }, () => {
      backoff.failed(1_000)
      return backoff.remaining(1_000)
    })
  }
  t.strictSame(
    waits(1),
    [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000),
  )
  t.strictSame(waits(0), Array(9).fill(0))
  const backoff = new Backoff(() => 1)
  backoff.failed(0)
  t.equal(backoff.remaining(400), 600)
  t.equal(backoff.remaining(1_000), 0)
  backoff.succeeded()
  t.equal(backoff.remaining(0), 0)
})

t.test('the refetch budget: five at once, then one every ten seconds', async (t) => {
  const budget = new RefetchBudget()
  const takes = (now: number): number =>
    Array.from({ length: 100 }, () => budget.take(now)).filter(Boolean).length
  t.equal(takes(0), 5)
  t.equal(takes(9_999), 0)
  t.equal(takes(10_000), 1)
  t.equal(takes(19_999), 0)
  t.equal(takes(35_000), 2)
  t.equal(takes(40_000), 1)
  t.equal(takes(1_000_000), 5)
  const other = new RefetchBudget({ capacity: 2, refillInterval: 100 })
  t.equal([0, 0, 0, 99, 100, 100].filter((now) => other.take(now)).length, 3, 'or as it is made')
})

t.test('the steady clock goes on where the given one stands still or is set back', async (t) => {
  let now = 1_000
  let monotonic = 50
  const steady = steadyClock(
    () => now,
    () => monotonic,
  )
  t.equal(steady(), 1_000)
  monotonic = 80
  t.equal(steady(), 1_030)
  now = 0
  t.equal(steady(), 1_030)
  now = 5_000
  t.equal(steady(), 5_000)
  t.ok(steadyClock(() => 0)() >= 0)
})

t.test('a thousand first requests cost one fetch', async (t) => {
  const server = await keyServer(t)
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  const token = await issuer.idToken({ email, audience })
  const callers = await Promise.all(
    Array.from({ length: 1000 }, () => verifier.verifyAnyCaller(token)),
  )
  t.equal(callers.length, 1000)
  t.equal(server.requests, 1)
  t.match(verifier.stats().keys, { state: 'fresh', keys: 1, fetches: 1, failures: 0 })
})

t.test('one bogus kid does not hide a key that was just published', async (t) => {
  const rotating = await createTestIssuer()
  const server = await keyServer(t, rotating)
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  await verifier.ready()
  // The fetch for the bogus token is answered before the key is published.
  let answerBogus = (): void => undefined
  server.answer = (response, document) => {
    answerBogus = () => {
      well(response, document, response.req)
    }
    server.answer = well
  }
  const bogus = verifier.verifyAnyCaller(
    await rotating.idToken({ audience, header: { kid: 'bogus' } }),
  )
  bogus.catch(() => undefined)
  await until(() => server.requests === 2)
  await rotating.rotateKeys()
  server.jwks = rotating.jwks
  const fresh = verifier.verifyAnyCaller(await rotating.idToken({ email, audience }))
  answerBogus()
  t.match(await fresh, { email })
  await t.rejects(bogus, { code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.equal(server.requests, 3)
})

t.test('a hundred first tokens of a new key cost one fetch', async (t) => {
  const rotating = await createTestIssuer()
  const server = await keyServer(t, rotating)
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  await verifier.ready()
  await rotating.rotateKeys()
  server.jwks = rotating.jwks
  const token = await rotating.idToken({ email, audience })
  await Promise.all(Array.from({ length: 100 }, () => verifier.verifyAnyCaller(token)))
  t.equal(server.requests, 2)
})

t.test('a bogus kid whose token would be refused anyway costs no fetch', async (t) => {
  const server = await keyServer(t)
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  await verifier.ready()
  const header = { kid: 'bogus' }
  const refused = [
    { audience: 'https://other.run.app', header },
    { audience, header, expiresIn: -3600 },
    { audience, header, claims: { iss: 'https://issuer.example.com' } },
    { audience, header: { kid: undefined } },
  ]
  for (const token of refused) {
    await t.rejects(verifier.verifyAnyCaller(await issuer.idToken(token)), {
      code: 'ID_TOKEN_KEY_UNKNOWN',
    })
  }
  t.equal(server.requests, 1)
})

t.test('a key that leaves the set ends its tokens at once, cached or not', async (t) => {
  const rotating = await createTestIssuer()
  const server = await keyServer(t, rotating)
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  const old = await rotating.idToken({ email, audience })
  await verifier.verifyAnyCaller(old)
  t.equal(verifier.verifyAnyCallerSync(old).email, email)
  t.equal(verifier.stats().tokenCache.size, 1, 'remembered')
  await rotating.rotateKeys({ keepOld: false })
  server.jwks = rotating.jwks
  await verifier.verifyAnyCaller(await rotating.idToken({ email, audience }))
  t.throws(() => verifier.verifyAnyCallerSync(old), { code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.equal(verifier.stats().tokenCache.size, 0, 'forgotten')
})

t.test('the key set is replaced whole, and keys that stay are the same', async (t) => {
  const rotating = await createTestIssuer()
  const first = parseJwks(rotating.jwks, RS256).keys
  const firstKid = String(rotating.key.kid)
  await rotating.rotateKeys()
  const second = parseJwks(rotating.jwks, RS256, first).keys
  t.equal(second.size, 2)
  t.equal(second.get(firstKid), first.get(firstKid))
  await rotating.rotateKeys({ keepOld: false })
  t.strictSame([...parseJwks(rotating.jwks, RS256, second).keys.keys()], [rotating.key.kid])
  const samekid = { keys: [{ ...otherIssuer.jwks.keys[0], kid: firstKid }] }
  t.not(
    parseJwks(samekid, RS256, first).keys.get(firstKid),
    first.get(firstKid),
    'a kid is not a key',
  )
})

t.test('a refresh runs ahead, once, and nobody waits for it', async (t) => {
  const server = await keyServer(t)
  const { keys, events, pass } = keySet(t, server.uri)
  t.strictSame(await keys.ready(), { fetched: true }, 'fetched')
  t.strictSame(await keys.ready(), { fetched: false }, 'in hand')
  pass(8 * MINUTE)
  t.ok(keys.current())
  t.equal(keys.stats().fetches, 1, 'not before 80 % of the lifetime')
  pass(MINUTE)
  for (let i = 0; i < 100; i += 1) t.ok(keys.current())
  t.equal(keys.stats().fetches, 2)
  await until(() => events.length === 2)
  t.strictSame(events, ['refreshed for 600 s', 'refreshed for 600 s'])
  t.equal(server.requests, 2)
})

t.test('a refresh that is frozen with its instance does not wedge the next', async (t) => {
  const server = await keyServer(t)
  const { keys, pass } = keySet(t, server.uri, { timeout: 10_000 })
  await keys.ready()
  let thaw = (): void => undefined
  server.answer = (response) => {
    thaw = () => {
      well(response, JSON.stringify(otherIssuer.jwks), response.req)
    }
  }
  pass(9 * MINUTE)
  t.ok(keys.current())
  await until(() => server.requests === 2)
  server.answer = well
  pass(HOUR)
  t.ok(keys.current(), 'the instance wakes up with its keys')
  t.equal(keys.stats().fetches, 3)
  await until(() => keys.stats().state === 'fresh')
  thaw()
  await new Promise(setImmediate)
  t.ok(keys.current()?.has(String(issuer.key.kid)), 'the late answer does not replace the newer')
})

t.test('the late answer of an older fetch never replaces a newer one', async (t) => {
  const answers: ((jwks: object) => void)[] = []
  const slow = () =>
    new Promise<Response>((resolve) => {
      answers.push((jwks) => {
        resolve(Response.json(jwks))
      })
    })
  const { keys, pass, events } = keySet(t, 'https://keys.example.com/', { fetch: slow })
  void keys.ready()
  pass(MINUTE)
  const second = keys.ready()
  answers[1]?.(issuer.jwks)
  t.strictSame(await second, { fetched: true })
  answers[0]?.(otherIssuer.jwks)
  await new Promise(setImmediate)
  t.strictSame([...(keys.current()?.keys() ?? [])], [issuer.key.kid])
  t.strictSame(events, [
    'failed while none: the key endpoint did not answer in time',
    'refreshed for 600 s',
  ])
})

t.test('keys that nobody used until they were too old are unavailable, not complete', async (t) => {
  const server = await keyServer(t)
  const { keys, pass } = keySet(t, server.uri, { maxStale: HOUR })
  await keys.ready()
  t.equal(keys.unavailable(), null)
  pass(10 * MINUTE + HOUR + 1)
  t.match(keys.unavailable(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(await keys.ready(), { fetched: true })
  t.equal(keys.unavailable(), null)
})

t.test('an outage: the last good keys, then 503 with Retry-After, and back again', async (t) => {
  const server = await keyServer(t)
  const { keys, events, pass } = keySet(t, server.uri, { maxStale: HOUR })
  await keys.ready()
  await server.lose()
  pass(10 * MINUTE + 1)
  t.ok(keys.current())
  t.equal(keys.stats().state, 'stale')
  await until(() => events.length === 2)
  t.match(events[1], /^failed while stale: fetch failed: connect ECONNREFUSED/)
  pass(HOUR)
  t.equal(keys.current(), null)
  t.match(keys.stats(), { state: 'none', keys: 0, ageSeconds: null })
  t.match(keys.unavailable(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  const error = await keys.ready()
  t.match(error, { code: 'ID_TOKEN_KEYS_UNAVAILABLE', statusCode: 503 })
  t.match((error as IdTokenError).headers['retry-after'], /^[1-9]$/)
  await server.regain()
  t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' }, 'the back-off is kept')
  pass(MINUTE)
  t.strictSame(await keys.ready(), { fetched: true })
  t.equal(keys.stats().state, 'fresh')
})

t.test('a failed start recovers by itself, and does not hammer', async (t) => {
  const server = await keyServer(t)
  await server.lose()
  const { keys, pass } = keySet(t, server.uri)
  for (let i = 0; i < 1000; i += 1) {
    await keys.ready()
    pass(60)
  }
  t.ok(keys.stats().fetches <= 30, `${keys.stats().fetches} fetches in a minute of failures`)
  await server.regain()
  pass(MINUTE)
  t.strictSame(await keys.ready(), { fetched: true })
})

t.test('a 304 renews the keys in hand', async (t) => {
  const server = await keyServer(t)
  const conditions: (string | undefined)[] = []
  server.answer = (response, document, request) => {
    conditions.push(request.headers['if-none-match'])
    const headers = { etag: '"a"', 'cache-control': 'max-age=300' }
    if (conditions.length === 1) response.writeHead(200, headers).end(document)
    else if (conditions.length === 2) response.writeHead(304).end()
    else response.writeHead(304, { etag: '"b"', 'cache-control': 'max-age=120' }).end()
  }
  const { keys, events, pass } = keySet(t, server.uri)
  await keys.ready()
  const before = keys.current()
  pass(5 * MINUTE)
  t.equal(keys.current(), before)
  await until(() => events.length === 2)
  t.strictSame(events, ['refreshed for 300 s', 'refreshed for 300 s'])
  t.equal(keys.current(), before)
  t.equal(keys.stats().state, 'fresh')
  pass(5 * MINUTE)
  t.equal(keys.current(), before)
  await until(() => events.length === 3)
  pass(2 * MINUTE)
  t.equal(keys.current(), before)
  await until(() => events.length === 4)
  t.strictSame(
    events.slice(2),
    ['refreshed for 120 s', 'refreshed for 120 s'],
    'the newest headers',
  )
  t.strictSame(conditions, [undefined, '"a"', '"a"', '"b"'])
})

function memoryStore(): KeyStore & { saved: StoredKeys[] } {
  const saved: StoredKeys[] = []
  return {
    saved,
    load: () => Promise.resolve(saved.at(-1) ?? null),
    save: (keys) => {
      saved.push(structuredClone(keys))
      return Promise.resolve()
    },
  }
}

t.test('keys survive a restart in a key store', async (t) => {
  const server = await keyServer(t)
  const keyStore = memoryStore()
  const before = keySet(t, server.uri, { keyStore })
  await before.keys.ready()
  await until(() => keyStore.saved.length === 1)
  const [good] = keyStore.saved as [StoredKeys]
  t.match(good, {
    lifetimeSeconds: 600,
    fetchedAt: before.now(),
  })
  await server.lose()

  t.test('a cold start while the endpoint is out', async (t) => {
    const { keys } = keySet(t, server.uri, { keyStore })
    t.strictSame(await keys.ready(), { fetched: false }, 'not by a fetch')
    t.ok(keys.current()?.has(String(issuer.key.kid)))
    t.equal(keys.stats().state, 'fresh')
  })

  t.test('keys keep their age, and never outlive maxStale', async (t) => {
    const { keys, pass } = keySet(t, server.uri, { keyStore })
    pass(10 * MINUTE + 24 * HOUR - 1_000)
    await keys.ready()
    t.equal(keys.stats().state, 'stale')
    pass(1_000)
    t.equal(keys.current(), null)
    const late = keySet(t, server.uri, { keyStore })
    late.pass(10 * MINUTE + 24 * HOUR)
    t.match(await late.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  })

  t.test('what it loads is validated', async (t) => {
    const d = { ...good.jwks.keys[0], d: 'AQAB' }
    const rows: [stored: unknown, reason: RegExp][] = [
      [{ ...good, jwks: { keys: [d] } }, /load: .*private/],
      [{ ...good, jwks: { keys: [] } }, /load: .*no usable key/],
      [{ ...good, fetchedAt: before.now() + 1 }, /load: .*future/],
      [{ ...good, fetchedAt: 'yesterday' }, /load: .*fetchedAt/],
      [{ ...good, lifetimeSeconds: null }, /load: .*lifetimeSeconds/],
      [{ jwks: good.jwks }, /load: .*fetchedAt/],
      ['keys', /load: .*fetchedAt/],
    ]
    for (const [stored, reason] of rows) {
      const load = (): Promise<StoredKeys> => Promise.resolve(stored as StoredKeys)
      const { keys, events } = keySet(t, server.uri, { keyStore: { ...keyStore, load } })
      t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
      t.ok(
        events.some((event) => reason.test(event)),
        String(reason),
      )
    }
    const forever = { ...good, lifetimeSeconds: (365 * 24 * HOUR) / 1000 }
    const load = (): Promise<StoredKeys> => Promise.resolve(forever)
    const { keys, pass } = keySet(t, server.uri, { keyStore: { ...keyStore, load } })
    await keys.ready()
    pass(24 * HOUR)
    t.equal(keys.stats().state, 'stale', 'a lifetime has the same bound as a fetched one')
  })

  t.test('a store that fails or hangs changes nothing else', async (t) => {
    await server.regain()
    t.teardown(() => server.lose())
    const broken: KeyStore = {
      load: () => Promise.reject(new Error('no bucket')),
      save: () => {
        throw new Error('no bucket')
      },
    }
    const { keys, events } = keySet(t, server.uri, { keyStore: broken })
    t.strictSame(await keys.ready(), { fetched: true })
    await until(() => events.length === 3)
    t.strictSame(events.sort(), ['load: no bucket', 'refreshed for 600 s', 'save: no bucket'])

    const hanging: KeyStore = { load: () => new Promise(() => undefined), save: broken.save }
    const started = keySet(t, server.uri, { keyStore: hanging, timeout: 100 })
    t.strictSame(await started.keys.ready(), { fetched: true })
    await server.lose()
    const { keys: lost, events: told } = keySet(t, server.uri, { keyStore: hanging, timeout: 100 })
    t.match(await lost.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.ok(told.includes('load: the key store did not answer in time'))
    await server.regain()
  })

  t.test('an answer is never replaced by stored keys', async (t) => {
    await server.regain()
    let loaded: (stored: StoredKeys) => void = () => undefined
    const load = (): Promise<StoredKeys> => new Promise((resolve) => (loaded = resolve))
    const { keys } = keySet(t, server.uri, { keyStore: { ...keyStore, load } })
    await keys.ready()
    loaded({ ...good, jwks: otherIssuer.jwks })
    await new Promise(setImmediate)
    t.ok(keys.current()?.has(String(issuer.key.kid)))
  })
})

t.test('closing ends a fetch that is under way, and allows no other', async (t) => {
  const server = await keyServer(t)
  server.answer = () => undefined
  const { keys, events } = keySet(t, server.uri, { timeout: 60_000 })
  const ready = keys.ready()
  await until(() => server.requests === 1)
  keys.close()
  t.match(await ready, { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.equal(server.requests, 1)
  t.strictSame(events, [], 'nobody is warned of it')
})

t.test('a fetch that heeds no signal is given up all the same', async (t) => {
  const deaf = (): Promise<Response> => new Promise(() => undefined)
  const { keys, events } = keySet(t, 'https://keys.example.com/', { fetch: deaf, timeout: 50 })
  t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(events, ['failed while none: the key endpoint did not answer in time'])
})

t.test('a fetch that followed a redirect, or throws anything, brings no keys', async (t) => {
  const redirected = Object.defineProperty(Response.json(issuer.jwks), 'redirected', {
    value: true,
  })
  const followed = keySet(t, 'https://keys.example.com/', {
    fetch: () => Promise.resolve(redirected),
  })
  t.match(await followed.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  const empty = keySet(t, 'https://keys.example.com/', {
    fetch: () => Promise.resolve(new Response(null)),
  })
  t.match(await empty.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(empty.events, ['failed while none: the key endpoint did not answer with JSON'])
  const rejected: (reason: unknown) => Promise<never> = Promise.reject.bind(Promise)
  const throwing = keySet(t, 'https://keys.example.com/', { fetch: () => rejected('no reason') })
  t.match(await throwing.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(throwing.events, ['failed while none: an unknown failure'])
})

t.test('what happens to keys and tokens is published, and never a token', async (t) => {
  const server = await keyServer(t)
  const messages: [name: string, message: unknown][] = []
  const names = ['keys:refreshed', 'keys:failed', 'token:verified', 'token:rejected']
  for (const name of names.map((name) => `fastify-google-id-token:${name}`)) {
    const listener = (message: unknown): void => {
      messages.push([name.slice('fastify-google-id-token:'.length), message])
    }
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  const verifier = createVerifier({ audience, jwksUri: server.uri })
  const token = await issuer.idToken({ email, audience })
  await verifier.verifyAnyCaller(token)
  t.throws(() => verifier.verifyAnyCallerSync(`${token.slice(0, -4)}AAAA`))
  await server.lose()
  const lost = createVerifier({ audience, jwksUri: server.uri, logger: { warn: () => undefined } })
  await t.rejects(lost.ready())
  t.match(messages, [
    [
      'keys:refreshed',
      { uri: server.uri, keyIds: [issuer.key.kid], lifetimeSeconds: 600, skipped: [] },
    ],
    ['token:verified', { caller: { email } }],
    ['token:rejected', { code: 'ID_TOKEN_SIGNATURE_INVALID', detail: { remedy: String } }],
    [
      'keys:failed',
      { uri: server.uri, reason: /ECONNREFUSED/, state: 'none', retryInSeconds: Number },
    ],
  ])
  const published = JSON.stringify(messages)
  for (const segment of token.split('.')) t.notOk(published.includes(segment))
})

t.test('an outage is logged once a minute at most', async (t) => {
  const server = await keyServer(t)
  let time = Date.now()
  const warnings: string[] = []
  const verifier = createVerifier({
    audience,
    jwksUri: server.uri,
    clock: () => new Date(time),
    logger: { warn: (_, message) => warnings.push(message) },
  })
  await verifier.ready()
  await server.lose()
  time += 11 * MINUTE
  for (let i = 1; i <= 20; i += 1) {
    const { failures } = verifier.stats().keys
    t.throws(() => verifier.verifyAnyCallerSync('a.b.c'))
    if (verifier.stats().keys.fetches > 1 + failures) {
      await until(() => verifier.stats().keys.failures > failures)
    }
    time += 30_000
  }
  t.ok(verifier.stats().keys.failures >= 10)
  t.ok(warnings.length <= 10, `${warnings.length} warnings in ten minutes`)
  t.strictSame(
    new Set(warnings),
    new Set([
      'the keys of ID tokens could not be refreshed; the last good ones are used past their lifetime',
    ]),
  )
})

t.test('a key store that fails is logged once a minute at most', async (t) => {
  const server = await keyServer(t)
  const warnings: object[] = []
  const verifier = createVerifier({
    audience,
    jwksUri: server.uri,
    logger: { warn: (finding) => warnings.push(finding) },
    keyStore: {
      load: () => Promise.reject(new Error('no bucket')),
      save: () => Promise.reject(new Error('no bucket')),
    },
  })
  await verifier.ready()
  await new Promise(setImmediate)
  t.strictSame(warnings, [{ action: 'load', reason: 'no bucket' }])
})

t.test('unusable keys are left out and logged', async (t) => {
  const server = await keyServer(t)
  server.jwks = { keys: [...issuer.jwks.keys, { kty: 'EC', kid: 'iap' }, { kty: 'RSA' }, {}] }
  const warnings: unknown[] = []
  const logger = { warn: (finding: object) => warnings.push(finding) }
  const verifier = createVerifier({ audience, jwksUri: server.uri, logger })
  await verifier.ready()
  t.strictSame(warnings, [
    {
      uri: server.uri,
      skipped: ['key iap: kty is not RSA', 'a key without kid', 'a key without kid'],
    },
  ])
})

t.test('a set is refused whole where one of its members is no object', async (t) => {
  t.throws(() => parseJwks({ keys: [...issuer.jwks.keys, 'key'] }, RS256), /no object/)
  t.throws(() => parseJwks([issuer.jwks], RS256), /no "keys" list/)
  t.throws(() => parseJwks({ keys: [{ kty: 'RSA', kid: 'a' }] }, RS256), /key a: no n or e/)
  t.throws(
    () => parseJwks({ keys: [{ kty: 'RSA', kid: 'a', n: '', e: '' }] }, RS256),
    /not an RSA key/,
  )
  const forEncryption = { ...issuer.jwks.keys[0], key_ops: ['encrypt'] }
  t.throws(() => parseJwks({ keys: [forEncryption] }, RS256), /key_ops has no verify/)
  const forBoth = { ...issuer.jwks.keys[0], key_ops: ['verify'] }
  t.equal(parseJwks({ keys: [forBoth] }, RS256).keys.size, 1)
  const weak = { ...issuer.jwks.keys[0], e: 'AQ' }
  t.throws(() => parseJwks({ keys: [weak] }, RS256), /exponent 65537/)
})

t.test('prefetch', async (t) => {
  const listen = async (answer: (response: ServerResponse) => void) => {
    const server = createServer((_, response) => {
      answer(response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`
  }
  const app = (t: Test, options: object) => {
    const app = Fastify()
    app.register(googleIdToken, { audience, allowedCallers: [email], ...options })
    app.get('/', () => 'ok')
    t.teardown(() => app.close())
    return app
  }

  t.test('starts when the app is ready, and does not delay it', async (t) => {
    let asked = 0
    const jwksUri = await listen(() => (asked += 1))
    await app(t, { jwksUri }).ready()
    await until(() => asked === 1)
  })

  t.test('a failure does not stop the start-up', async (t) => {
    const jwksUri = await listen((response) => response.writeHead(500).end())
    await app(t, { jwksUri }).ready()
  })

  t.test("'required' starts up with keys in hand", async (t) => {
    const jwksUri = await listen((response) => response.end(JSON.stringify(issuer.jwks)))
    const service = app(t, { jwksUri, prefetch: 'required' })
    await service.ready()
    t.match(service.idTokenVerifier.stats().keys, { state: 'fresh', fetches: 1 })
  })

  t.test("'required' stops the start-up without them, and says why", async (t) => {
    const jwksUri = await listen((response) => response.writeHead(500).end())
    await t.rejects(async () => app(t, { jwksUri, prefetch: 'required' }).ready(), {
      message:
        "prefetch is 'required', and no keys could be fetched: the key endpoint answered 500",
    })
  })

  t.test('is judged like any option', async (t) => {
    await t.rejects(async () => app(t, { jwks: issuer.jwks, prefetch: false }).ready(), {
      message: "Option prefetch is false; accepted: true or 'required'",
    })
  })
})
