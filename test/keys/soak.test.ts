/** The rules of fetching under stress, for some minutes of simulated time; test/long has hours of it. */
import t from 'tap'
import { testRecoveries, testRotations, type Extent } from '../helpers/key-outages.ts'
import { bogusToken, simulate, tokenOf, type Outcome } from '../helpers/simulated-service.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

const extent: Extent = {
  seeds: [1],
  rotating: 3 * MINUTE,
  outages: [SECOND, MINUTE],
  instances: 10,
}
testRotations(extent)
testRecoveries(extent)

t.test('a missing key: 401 where the newest fetch succeeded, else 503', async (t) => {
  let ok = true
  const service = simulate(
    () => 0.5,
    () => ({ ok, after: 10 }),
  )
  t.teardown(() => {
    service.keys.close()
  })
  const ask = async (kid: string): Promise<Outcome> => {
    const outcome = service.ask(bogusToken(kid))
    await service.pass(20)
    return outcome
  }
  t.equal(await ask('first fetch'), 'ID_TOKEN_KEY_UNKNOWN')
  for (let i = 0; i < 20; i += 1) t.equal(await ask(`flood-${i}`), 'ID_TOKEN_KEY_UNKNOWN')
  t.equal(service.fetchedAt.length, 4, 'the budget is empty, which changes nothing')
  ok = false
  await service.pass(2 * SECOND)
  for (let i = 0; i < 10; i += 1) t.equal(await ask(`failing-${i}`), 'ID_TOKEN_KEYS_UNAVAILABLE')
  t.equal(await service.ask(await tokenOf('first')), 'accepted', 'with the current keys')
  ok = true
  const before = service.fetchedAt.length
  await service.pass(SECOND)
  t.equal(await service.ask(await tokenOf('first')), 'accepted')
  await service.pass(20)
  t.equal(service.fetchedAt.length, before + 1, 'a request with a known key makes up for it')
  t.equal(await ask('back'), 'ID_TOKEN_KEY_UNKNOWN')
})
