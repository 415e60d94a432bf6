/**
 * What happens to valid requests while the key endpoint fails and strangers name unknown keys, in
 * simulated time.
 */
import t from 'tap'
import {
  bogusToken,
  seeded,
  simulate,
  tokenOf,
  type Outcome,
  type SimulatedAnswer,
} from './simulated-service.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** How much of it is simulated. */
export interface Extent {
  readonly seeds: readonly number[]
  /** Milliseconds of the service whose keys rotate. */
  readonly rotating: number
  /** Milliseconds for which the endpoint is out. */
  readonly outages: readonly number[]
  /** How many instances come back from each of them. */
  readonly instances: number
}

const ROTATION = 12 * SECOND
const kidAt = (now: number, ahead = 0): string => `key-${Math.floor(now / ROTATION) + ahead}`
const tokens = new Map<string, Promise<string>>()

function validToken(kid: string): Promise<string> {
  const token = tokens.get(kid) ?? tokenOf(kid)
  tokens.set(kid, token)
  return token
}

function quickly(ok: boolean, random: () => number): SimulatedAnswer {
  return { ok, after: 20 + 80 * random() }
}

/** Valid requests while keys rotate, and new keys during a flood. */
export function testRotations({ seeds, rotating }: Extent): void {
  for (const seed of seeds) {
    t.test(
      `keys rotate every 12 s, 40 % of the fetches fail, 3 % are strangers: ${seed}`,
      async (t) => {
        const random = seeded(seed)
        const service = simulate(random, () => quickly(random() >= 0.4, random))
        t.teardown(() => {
          service.keys.close()
        })
        const outcomes: Record<Outcome | 'valid', number> = tally()
        const asked: Promise<unknown>[] = []
        while (service.now() < rotating) {
          const now = service.now()
          service.publish(kidAt(now, -1), kidAt(now), kidAt(now, 1))
          if (random() < 0.03) {
            asked.push(service.ask(bogusToken(`bogus-${now}`)))
          } else {
            outcomes.valid += 1
            const outcome = service.ask(await validToken(kidAt(now)))
            asked.push(outcome.then((code) => (outcomes[code] += 1)))
          }
          await service.pass(50)
        }
        await service.pass(5 * SECOND)
        await Promise.all(asked)
        t.equal(
          outcomes.valid - outcomes.accepted,
          outcomes.ID_TOKEN_KEYS_UNAVAILABLE,
          'no other code',
        )
        t.equal(outcomes.ID_TOKEN_KEY_UNKNOWN, 0, 'no valid request gets 401')
        const unavailable = outcomes.ID_TOKEN_KEYS_UNAVAILABLE / outcomes.valid
        t.ok(unavailable <= 0.02, `503: ${(100 * unavailable).toFixed(2)} %`)
        t.comment(`${outcomes.valid} valid requests, 503: ${(100 * unavailable).toFixed(2)} %`)
      },
    )

    t.test(
      `a new key is accepted within 3 s of its publication under a flood: ${seed}`,
      async (t) => {
        const random = seeded(seed)
        const service = simulate(random, () => quickly(true, random))
        t.teardown(() => {
          service.keys.close()
        })
        await Promise.all([service.keys.ready(), service.pass(200)])
        let slowest = 0
        const flood = async (milliseconds: number): Promise<void> => {
          for (let passed = 0; passed < milliseconds; passed += 40) {
            void service.ask(bogusToken(`bogus-${service.now()}`))
            await service.pass(40)
          }
        }
        await flood(10 * SECOND)
        for (let n = 0; n < 30; n += 1) {
          const kid = `flooded-${seed}-${n}`
          const token = await tokenOf(kid)
          service.publish(kid)
          const publishedAt = service.now()
          let acceptedAt = Infinity
          while (acceptedAt === Infinity) {
            void service.ask(token).then((outcome) => {
              if (outcome === 'accepted') acceptedAt = Math.min(acceptedAt, service.now())
            })
            await flood(80)
          }
          slowest = Math.max(slowest, acceptedAt - publishedAt)
          await flood(SECOND * random())
        }
        t.ok(slowest <= 3 * SECOND, `${slowest} ms`)
      },
    )
  }
}

/** Milliseconds from the endpoint's return to the first accept, and to the next fetch. */
async function recovery(seed: number, outage: number, failing: SimulatedAnswer) {
  const random = seeded(seed)
  let isUp = false
  const service = simulate(random, () => (isUp ? quickly(true, random) : failing))
  const token = await validToken('first')
  let acceptedAt = Infinity
  const request = async (): Promise<void> => {
    void service.ask(token).then((outcome) => {
      if (outcome === 'accepted') acceptedAt = Math.min(acceptedAt, service.now())
    })
    await service.pass(100)
  }
  while (service.now() < outage) await request()
  isUp = true
  const returnedAt = service.now()
  const fetchesBefore = service.fetchedAt.length
  while (acceptedAt === Infinity && service.now() < returnedAt + MINUTE) await request()
  service.keys.close()
  return {
    accepted: acceptedAt - returnedAt,
    fetched: (service.fetchedAt[fetchesBefore] ?? Infinity) - returnedAt,
  }
}

const OUTAGES: Readonly<Record<string, SimulatedAnswer>> = {
  fails: { ok: false, after: 20 },
  hangs: { ok: false, after: Infinity },
}

/** The first accepted request after an outage without keys. */
export function testRecoveries({ outages, instances: count }: Extent): void {
  for (const [how, failing] of Object.entries(OUTAGES)) {
    t.test(`no keys, and the endpoint ${how}: accepted within 5 s of its return`, async (t) => {
      for (const outage of outages) {
        const instances = Array.from({ length: outage > MINUTE ? 2 : count }, (_, seed) => seed)
        const recoveries = await Promise.all(
          instances.map((seed) => recovery(seed, outage, failing)),
        )
        const slowest = Math.max(...recoveries.map(({ accepted }) => accepted))
        t.ok(slowest <= 5 * SECOND, `after ${outage / SECOND} s: ${slowest} ms`)
      }
    })
  }
}

export function testReturnOfMany(): void {
  for (const [how, failing] of Object.entries(OUTAGES)) {
    t.test(`the endpoint ${how} a minute: sixty instances do not come back at once`, async (t) => {
      const instances = Array.from({ length: 60 }, (_, seed) =>
        recovery(1000 + seed, MINUTE, failing),
      )
      const fetched = (await Promise.all(instances)).map((instance) => instance.fetched)
      const perQuarter = (quarter: number): number =>
        fetched.filter((at) => at >= quarter * 250 && at < (quarter + 1) * 250).length
      const quarters = Array.from({ length: 16 }, (_, quarter) => perQuarter(quarter))
      t.ok(Math.max(...quarters) <= 18, `in quarters of a second: ${quarters.join(' ')}`)
      t.ok(quarters.filter((count) => count > 0).length >= 10, 'spread over seconds')
    })
  }
}

function tally(): Record<Outcome | 'valid', number> {
  return new Proxy({} as Record<Outcome | 'valid', number>, {
    get: (counts, name) => (Reflect.get(counts, name) as number | undefined) ?? 0,
  })
}
