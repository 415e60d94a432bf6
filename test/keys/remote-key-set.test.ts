/** Current keys through refreshes, outages and restarts. */
import t from 'tap'
import { well } from '../../bench/faults/key-server.ts'
import { type IdTokenError } from '../../src/index.ts'
import type { KeyStore, StoredKeys } from '../../src/keys/key-store.ts'
import { keyServer, timedKeySet } from '../helpers/remote-keys.ts'
import { until } from '../helpers/waiting.ts'
import { issuer, otherIssuer } from '../helpers/issuer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('a refresh runs ahead, once, and nobody waits for it', async (t) => {
  const server = await keyServer(t)
  const { keys, events, pass } = timedKeySet(t, server.uri)
  t.strictSame(await keys.ready(), { fetched: true }, 'fetched')
  t.strictSame(await keys.ready(), { fetched: false }, 'the keys are current')
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

t.test('a refresh that is frozen with its instance does not block the next', async (t) => {
  const server = await keyServer(t)
  const { keys, pass } = timedKeySet(t, server.uri, { timeout: 10_000 })
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
  const { keys, pass, events } = timedKeySet(t, 'https://keys.example.com/', { fetch: slow })
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
  const { keys, pass } = timedKeySet(t, server.uri, { maxStale: HOUR })
  await keys.ready()
  t.equal(keys.unavailable(), null)
  pass(10 * MINUTE + HOUR + 1)
  t.match(keys.unavailable(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(await keys.ready(), { fetched: true })
  t.equal(keys.unavailable(), null)
})

t.test('an outage: the last good keys, then 503 with Retry-After, and back again', async (t) => {
  const server = await keyServer(t)
  const { keys, events, pass } = timedKeySet(t, server.uri, { maxStale: HOUR })
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
  const { keys, pass } = timedKeySet(t, server.uri)
  for (let i = 0; i < 1000; i += 1) {
    await keys.ready()
    pass(60)
  }
  t.ok(keys.stats().fetches <= 30, `${keys.stats().fetches} fetches in a minute of failures`)
  await server.regain()
  pass(MINUTE)
  t.strictSame(await keys.ready(), { fetched: true })
})

t.test('a 304 renews the current keys', async (t) => {
  const server = await keyServer(t)
  const conditions: (string | undefined)[] = []
  server.answer = (response, document, request) => {
    conditions.push(request.headers['if-none-match'])
    const headers = { etag: '"a"', 'cache-control': 'max-age=300' }
    if (conditions.length === 1) response.writeHead(200, headers).end(document)
    else if (conditions.length === 2) response.writeHead(304).end()
    else response.writeHead(304, { etag: '"b"', 'cache-control': 'max-age=120' }).end()
  }
  const { keys, events, pass } = timedKeySet(t, server.uri)
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
  const before = timedKeySet(t, server.uri, { keyStore })
  await before.keys.ready()
  await until(() => keyStore.saved.length === 1)
  const [good] = keyStore.saved as [StoredKeys]
  t.match(good, {
    lifetimeSeconds: 600,
    fetchedAt: before.now(),
  })
  await server.lose()

  t.test('a cold start while the endpoint is out', async (t) => {
    const { keys } = timedKeySet(t, server.uri, { keyStore })
    t.strictSame(await keys.ready(), { fetched: false }, 'not by a fetch')
    t.ok(keys.current()?.has(String(issuer.key.kid)))
    t.equal(keys.stats().state, 'fresh')
  })

  t.test('keys keep their age, and never outlive maxStale', async (t) => {
    const { keys, pass } = timedKeySet(t, server.uri, { keyStore })
    pass(10 * MINUTE + 24 * HOUR - 1_000)
    await keys.ready()
    t.equal(keys.stats().state, 'stale')
    pass(1_000)
    t.equal(keys.current(), null)
    const late = timedKeySet(t, server.uri, { keyStore })
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
      const { keys, events } = timedKeySet(t, server.uri, { keyStore: { ...keyStore, load } })
      t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
      t.ok(
        events.some((event) => reason.test(event)),
        String(reason),
      )
    }
    const forever = { ...good, lifetimeSeconds: (365 * 24 * HOUR) / 1000 }
    const load = (): Promise<StoredKeys> => Promise.resolve(forever)
    const { keys, pass } = timedKeySet(t, server.uri, { keyStore: { ...keyStore, load } })
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
    const { keys, events } = timedKeySet(t, server.uri, { keyStore: broken })
    t.strictSame(await keys.ready(), { fetched: true })
    await until(() => events.length === 3)
    t.strictSame(events.sort(), ['load: no bucket', 'refreshed for 600 s', 'save: no bucket'])

    const hanging: KeyStore = { load: () => new Promise(() => undefined), save: broken.save }
    const started = timedKeySet(t, server.uri, { keyStore: hanging, timeout: 100 })
    t.strictSame(await started.keys.ready(), { fetched: true })
    await server.lose()
    const { keys: lost, events: reported } = timedKeySet(t, server.uri, {
      keyStore: hanging,
      timeout: 100,
    })
    t.match(await lost.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
    t.ok(reported.includes('load: the key store did not answer in time'))
    await server.regain()
  })

  t.test('an answer is never replaced by stored keys', async (t) => {
    await server.regain()
    let loaded: (stored: StoredKeys) => void = () => undefined
    const load = (): Promise<StoredKeys> => new Promise((resolve) => (loaded = resolve))
    const { keys } = timedKeySet(t, server.uri, { keyStore: { ...keyStore, load } })
    await keys.ready()
    loaded({ ...good, jwks: otherIssuer.jwks })
    await new Promise(setImmediate)
    t.ok(keys.current()?.has(String(issuer.key.kid)))
  })
})

t.test('closing ends a fetch that is under way, and allows no other', async (t) => {
  const server = await keyServer(t)
  server.answer = () => undefined
  const { keys, events } = timedKeySet(t, server.uri, { timeout: 60_000 })
  const ready = keys.ready()
  await until(() => server.requests === 1)
  keys.close()
  t.match(await ready, { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.equal(server.requests, 1)
  t.strictSame(events, [], 'nobody is warned of it')
})

t.test('a fetch that ignores its signal is given up all the same', async (t) => {
  const deaf = (): Promise<Response> => new Promise(() => undefined)
  const { keys, events } = timedKeySet(t, 'https://keys.example.com/', { fetch: deaf, timeout: 50 })
  t.match(await keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(events, ['failed while none: the key endpoint did not answer in time'])
})

t.test('a fetch that followed a redirect, or throws anything, brings no keys', async (t) => {
  const redirected = Object.defineProperty(Response.json(issuer.jwks), 'redirected', {
    value: true,
  })
  const followed = timedKeySet(t, 'https://keys.example.com/', {
    fetch: () => Promise.resolve(redirected),
  })
  t.match(await followed.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  const empty = timedKeySet(t, 'https://keys.example.com/', {
    fetch: () => Promise.resolve(new Response(null)),
  })
  t.match(await empty.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(empty.events, ['failed while none: the key endpoint did not answer with JSON'])
  const rejected: (reason: unknown) => Promise<never> = Promise.reject.bind(Promise)
  const throwing = timedKeySet(t, 'https://keys.example.com/', {
    fetch: () => rejected('no reason'),
  })
  t.match(await throwing.keys.ready(), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.strictSame(throwing.events, ['failed while none: an unknown failure'])
})

t.test('a fetch is measured from its start to its end, whatever its result', async (t) => {
  const took: number[] = []
  let answer: object = issuer.jwks
  const { keys, pass } = timedKeySet(t, 'https://keys.example.com/', {
    fetch: async () => {
      pass(250)
      return Response.json(answer)
    },
    events: {
      refreshed: (_keys, _skipped, milliseconds) => took.push(milliseconds),
      failed: ({ took: milliseconds }) => took.push(milliseconds),
      storeFailed: () => undefined,
    },
  })
  await keys.ready()
  answer = { keys: [] }
  pass(9 * MINUTE)
  t.ok(keys.current())
  await until(() => took.length === 2)
  t.strictSame(took, [250, 250])
})
