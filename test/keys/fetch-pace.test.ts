/** How often the key endpoint is asked, and how soon again after a failure. */
import t from 'tap'
import { FetchPace } from '../../src/keys/fetch-pace.ts'
import { bogusToken, simulate, type SimulatedAnswer } from '../helpers/simulated-service.ts'

const SECOND = 1_000

/** A pace after so many failures in a row, each of them as soon as it may be. */
function afterFailures(count: number, random: () => number, took = 0) {
  const pace = new FetchPace(random)
  let now = 0
  for (let i = 0; i < count; i += 1) {
    now += pace.untilNeeded(now) + took
    pace.failed(now - took, now)
  }
  return { pace, now }
}

t.test('a need waits four seconds at most, a refresh up to a minute', async (t) => {
  for (const failures of [1, 2, 5, 20]) {
    const { pace, now } = afterFailures(failures, () => 1)
    t.ok(pace.untilNeeded(now) <= 4 * SECOND, `a need after ${failures}`)
  }
  const { pace, now } = afterFailures(20, () => 1)
  t.equal(pace.untilNeeded(now), 4 * SECOND)
  t.equal(pace.untilRefresh(now), 60 * SECOND)
  t.equal(pace.untilNeeded(now + 4 * SECOND), 0)
  t.equal(pace.untilRefresh(now + 60 * SECOND), 0)
  const [first, next] = [afterFailures(1, () => 1), afterFailures(2, () => 1)]
  t.equal(first.pace.untilNeeded(first.now), 500)
  t.equal(next.pace.untilNeeded(next.now), 750)
})

t.test('no fetch starts before half of the wait, not even a refresh', async (t) => {
  const { pace, now } = afterFailures(20, () => 0)
  t.equal(pace.untilNeeded(now), 2 * SECOND)
  t.equal(pace.untilRefresh(now), 2 * SECOND)
  t.notOk(pace.takeForUnknownKey(now + 2 * SECOND - 1))
  t.ok(pace.takeForUnknownKey(now + 2 * SECOND))
})

t.test(
  'a wait counts from the start of the fetch; after one that hung there is a pause',
  async (t) => {
    const quick = afterFailures(20, () => 1, SECOND)
    t.equal(quick.pace.untilNeeded(quick.now), 3 * SECOND)
    const hung = afterFailures(20, () => 0.5, 3 * SECOND)
    t.equal(hung.pace.untilNeeded(hung.now), 500, 'anywhere within a second')
  },
)

t.test('a success forgets the failures', async (t) => {
  const { pace, now } = afterFailures(20, () => 1)
  pace.succeeded()
  t.equal(pace.untilNeeded(now), 0)
  t.equal(pace.untilRefresh(now), 0)
  pace.failed(now, now)
  t.equal(pace.untilNeeded(now), 500)
  t.equal(pace.untilRefresh(now), SECOND)
})

t.test(
  'unknown keys after a success: three fetches at once, then one in two seconds',
  async (t) => {
    const pace = new FetchPace(() => 1)
    const takes = (now: number): number =>
      Array.from({ length: 100 }, () => pace.takeForUnknownKey(now)).filter(Boolean).length
    t.strictSame([0, 1_999, 2_000, 3_999, 4_000, 100_000].map(takes), [3, 0, 1, 0, 1, 3])
  },
)

t.test('the key set forgets the failures of an outage', async (t) => {
  let isUp = true
  const service = simulate(
    () => 1,
    () => ({ ok: isUp, after: 10 }),
  )
  t.teardown(() => {
    service.keys.close()
  })
  await Promise.all([service.keys.ready(), service.pass(100)])
  const requests = async (milliseconds: number): Promise<number> => {
    const before = service.fetchedAt.length
    for (let passed = 0; passed < milliseconds; passed += 100) {
      service.keys.current()
      await service.pass(100)
    }
    return service.fetchedAt.length - before
  }
  isUp = false
  await requests(700 * SECOND)
  t.equal(await requests(60 * SECOND), 1, 'the endpoint is asked once a minute')
  isUp = true
  await requests(61 * SECOND)
  t.equal(service.keys.stats().state, 'fresh')
  isUp = false
  while ((await requests(100)) === 0);
  t.equal(await requests(3.2 * SECOND), 2, 'then again after one second, and after two more')
})

type Answers = (fetches: number) => SimulatedAnswer

/** What anyone can make an instance ask: how often in two seconds, and in a minute. */
const BOUNDS: readonly (readonly [
  endpoint: string,
  answers: Answers,
  often: number,
  long: number,
])[] = [
  ['is healthy', () => ({ ok: true, after: 10 }), 2, 31],
  ['fails', () => ({ ok: false, after: 10 }), 2, 31],
  ['hangs', () => ({ ok: false, after: Infinity }), 1, 20],
  ['fails every other time', (fetches) => ({ ok: fetches % 2 === 0, after: 10 }), 8, 120],
  ['fails three times of four', (fetches) => ({ ok: fetches % 4 === 0, after: 10 }), 8, 120],
  ['fails six times of seven', (fetches) => ({ ok: fetches % 7 === 0, after: 10 }), 8, 120],
]

for (const [endpoint, answers, often, long] of BOUNDS) {
  t.test(`what a flood of unknown kids can cause where the endpoint ${endpoint}`, async (t) => {
    let flooded = false
    const service = simulate(
      // The shortest waits that there are.
      () => 0,
      () => (flooded ? answers(service.fetchedAt.length) : { ok: true, after: 10 }),
    )
    t.teardown(() => {
      service.keys.close()
    })
    await Promise.all([service.keys.ready(), service.pass(100)])
    flooded = true
    for (let i = 0; i < 4_000; i += 1) {
      void service.ask(bogusToken(`bogus-${i}`))
      await service.pass(40)
    }
    const first = service.fetchedAt.filter((at) => at <= 2 * SECOND).length
    t.ok(first <= 9, `${first} in the first two seconds`)
    const steady = service.fetchedAt.filter((at) => at > 10 * SECOND)
    const counts = [mostWithin(2 * SECOND, steady), mostWithin(60 * SECOND, steady)]
    t.ok((counts[0] ?? 0) <= often, `${counts[0]} in two seconds`)
    t.ok((counts[1] ?? 0) <= long, `${counts[1]} in a minute`)
  })
}

/** The most moments that lie within so many milliseconds. */
function mostWithin(milliseconds: number, moments: readonly number[]): number {
  const counts = moments.map(
    (from) => moments.filter((at) => at >= from && at < from + milliseconds).length,
  )
  return Math.max(...counts)
}
