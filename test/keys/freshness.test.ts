/** How long keys are fresh, header by header. */
import t from 'tap'
import {
  boundedLifetime,
  freshenedHeaders,
  loadFreshnessLifetime,
  type ResponseHeaders,
} from '../../src/keys/freshness.ts'

const lifetimeOf = await loadFreshnessLifetime()
const MINUTE = 60
const DAY = 24 * 60 * MINUTE

t.test('the lifetime that an answer states, within a minute and a day', async (t) => {
  const inAnHour = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toUTCString()
  for (const [headers, seconds] of [
    [{}, 10 * MINUTE],
    [{ 'cache-control': 'public, must-revalidate' }, 10 * MINUTE],
    [{ 'cache-control': 'x-max-age=300' }, 10 * MINUTE],
    [{ 'cache-control': 'no-storey' }, 10 * MINUTE],
    [{ 'cache-control': 'max-age=300' }, 300],
    [{ 'cache-control': 'public,max-age=300' }, 300],
    [{ 'cache-control': 'public, max-age=300, must-revalidate' }, 300],
    [{ 'cache-control': 'Max-Age=300' }, 300],
    [{ 'cache-control': 'max-age=300', age: '100' }, 200],
    [{ 'cache-control': 'max-age=300, s-maxage=600' }, 300],
    [{ 'cache-control': 'max-age=59' }, MINUTE],
    [{ 'cache-control': 'max-age=61' }, 61],
    [{ 'cache-control': 'max-age=0' }, MINUTE],
    [{ 'cache-control': 'max-age=86399' }, DAY - 1],
    [{ 'cache-control': 'max-age=86401' }, DAY],
    [{ 'cache-control': 'no-store' }, MINUTE],
    [{ 'cache-control': 'no-cache' }, MINUTE],
    [{ 'cache-control': 'no-cache, max-age=300' }, MINUTE],
    [{ 'cache-control': 'no-cache="x"' }, MINUTE],
    [{ expires: inAnHour, date: new Date(Date.parse(inAnHour) - 3_600_000).toUTCString() }, 3600],
    [{ expires: '0' }, MINUTE],
  ] as [ResponseHeaders, number][]) {
    const lifetime = lifetimeOf(headers) / 1000
    t.ok(Math.abs(lifetime - seconds) <= 1, `${JSON.stringify(headers)}: ${lifetime}`)
  }
})

t.test('a stored lifetime is within nothing and a day', async (t) => {
  t.strictSame(
    [-1, 0, 1, DAY * 1000 - 1, DAY * 1000, DAY * 1000 + 1, Infinity].map(boundedLifetime),
    [0, 0, 1, DAY * 1000 - 1, DAY * 1000, DAY * 1000, DAY * 1000],
  )
})

t.test('a 304 replaces the headers that it has, and ends the old age', async (t) => {
  const stored = { etag: '"a"', age: '100', 'cache-control': 'max-age=300' }
  t.strictSame(freshenedHeaders(stored, {}), { etag: '"a"', 'cache-control': 'max-age=300' })
  t.strictSame(freshenedHeaders(stored, { age: '7', etag: '"b"', expires: '0' }), {
    etag: '"b"',
    age: '7',
    'cache-control': 'max-age=300',
    expires: '0',
  })
  t.equal(stored.age, '100', 'what is stored stays as it is')
})
