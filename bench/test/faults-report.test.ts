import t from 'tap'
import { faultsPage, terminalReport } from '../faults/report.ts'
import {
  brokenPromises,
  coarseCount,
  coarseStall,
  LONGEST_OUTAGE,
  SHORTEST_STALL,
  survived,
  type ContenderResult,
} from '../faults/result.ts'

const kept: ContenderResult = {
  name: 'this library',
  versions: ['fastify-google-id-token 0.0.0'],
  setup: 'defaults',
  faults: [
    { fault: 'refuses connections', survival: 'yes' },
    { fault: '500', survival: 'yes' },
  ],
  fetchesAtFirst: 1,
  fetchesForBogusKids: 5,
  fetchesForBogusKidsInOutage: 5,
  newKeyAtOnce: true,
  newKeyAfterBogusKid: true,
  withdrawnKeyRefused: true,
  outage: LONGEST_OUTAGE,
  longestStall: SHORTEST_STALL,
  unhandled: 0,
}
const broken: ContenderResult = {
  ...kept,
  name: 'another one, whose name is long',
  faults: [
    { fault: 'refuses connections', survival: 'hangs' },
    { fault: '500', survival: 'yes' },
  ],
  fetchesAtFirst: 2,
  fetchesForBogusKids: 6,
  fetchesForBogusKidsInOutage: 6,
  newKeyAtOnce: false,
  newKeyAfterBogusKid: false,
  withdrawnKeyRefused: false,
  outage: 9,
  longestStall: null,
  unhandled: 1,
}

t.test('a run in which every promise is kept', async (t) => {
  t.strictSame(brokenPromises(kept), [])
  t.strictSame(survived(kept), { survived: 2, of: 2 })
})

t.test('each promise that is broken is named', async (t) => {
  t.strictSame(brokenPromises(broken), [
    'every fault survived',
    '1 fetch for 1,000 concurrent first verifications',
    'at most 5 fetches for 10,000 bogus kids',
    'at most 5 for as many in an outage',
    'a new key used at once',
    'a new key used at once after a bogus kid',
    'a withdrawn key refused after a refresh',
    'an outage outlived',
    'no stall',
    'nothing unhandled',
  ])
  t.strictSame(survived(broken), { survived: 1, of: 2 })
})

t.test('the page and the terminal show every fault and contender', async (t) => {
  const results = { node: '20.0.0', contenders: [kept, broken] }
  const page = await faultsPage(results)
  const lines = terminalReport(results).split('\n')
  for (const { fault } of kept.faults) {
    t.match(page, new RegExp(`^\\| ${fault} `, 'm'))
    t.ok(
      lines.some((line) => line.startsWith(`${fault} `)),
      fault,
    )
  }
  for (const { name } of results.contenders) t.match(page, `**${name}**`)
  t.strictSame(
    lines.filter((line) => line.length > 100),
    [],
    'no line over 100 columns',
  )
})

t.test('a measure that varies with the machine is rounded', async (t) => {
  t.strictSame(
    [0, 5, 20, 21, 98, 149, 1_000, 9_973, 38_211].map(coarseCount),
    [0, 5, 20, 20, 100, 100, 1_000, 10_000, 40_000],
  )
  t.strictSame(
    [0.2, 19.9, 20, 60, 499, 999, 1_400, 5_010].map(coarseStall),
    [20, 20, 50, 100, 500, 1_000, 1_000, 5_000],
  )
})
