/** What is known of the keys, moment by moment. */
import t from 'tap'
import { jwks } from '../../fixtures/rows.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { RS256 } from '../../src/keys/signature-algorithms.ts'
import { staticKeySet } from '../../src/keys/static-key-set.ts'
import { issuer } from '../helpers/issuer.ts'
import { timedKeySet } from '../helpers/remote-keys.ts'

const HOUR = 3_600_000

t.test('static keys are current, and never fetched', async (t) => {
  const { keys } = parseJwks(jwks, RS256)
  const set = staticKeySet(keys)
  t.equal(set.current(), keys)
  t.strictSame(await set.ready(), { fetched: false })
  t.strictSame([set.refetch('x', 0, true), set.unavailable()], [null, null])
  t.strictSame(set.stats(), {
    state: 'static',
    keys: keys.size,
    fetches: 0,
    failures: 0,
    ageSeconds: null,
  })
  t.equal(set.close(), undefined)
})

t.test('fetched keys are fresh, then stale, then none', async (t) => {
  const { keys, pass, now } = timedKeySet(t, 'https://keys.example/', {
    fetch: async () => Response.json(issuer.jwks),
    maxStale: HOUR,
  })
  const none = { state: 'none', keys: 0, ageSeconds: null }
  t.strictSame(keys.stats(), { ...none, fetches: 0, failures: 0 })
  t.equal(keys.unavailable()?.code, 'ID_TOKEN_KEYS_UNAVAILABLE', 'nothing is known yet')
  const start = now()
  t.strictSame(await keys.ready(), { fetched: true })
  t.equal(keys.unavailable(), null)
  const { length } = issuer.jwks.keys
  const stats = (state: string, seconds: number) => ({
    state,
    keys: length,
    fetches: 1,
    failures: 0,
    ageSeconds: seconds,
  })
  t.strictSame(keys.stats(), stats('fresh', 0))
  pass(7_500)
  t.strictSame(keys.stats(), stats('fresh', 7.5))
  pass(592_499)
  t.match(keys.stats(), { state: 'fresh' })
  pass(1)
  t.strictSame(keys.stats(), stats('stale', 600))
  pass(HOUR - 1)
  t.match(keys.stats(), { state: 'stale' })
  pass(1)
  t.equal(now() - start, HOUR + 600_000)
  t.strictSame(keys.stats(), { ...none, fetches: 1, failures: 0 })
  t.equal(keys.unavailable()?.code, 'ID_TOKEN_KEYS_UNAVAILABLE')
})

t.test('the wait that a refusal names is that of the next fetch, a second at least', async (t) => {
  const { keys, pass } = timedKeySet(t, 'https://keys.example/', {
    fetch: async () => new Response(null, { status: 500 }),
  })
  const headers = async () => {
    const ready = await keys.ready()
    return 'headers' in ready ? ready.headers : ready
  }
  t.strictSame(await headers(), { 'retry-after': '1' })
  for (let n = 0; n < 20; n += 1) {
    pass(4_000)
    await headers()
  }
  t.strictSame(await headers(), { 'retry-after': '3' })
  t.match(keys.unavailable()?.detail, { found: 'the key endpoint answered 500' })
})
