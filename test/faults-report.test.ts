import { readFile } from 'node:fs/promises'
import t from 'tap'
import { FAULTS } from '../faults/faults.ts'
import { faultsPage, resultsFile, terminalReport } from '../faults/report.ts'
import {
  brokenPromises,
  coarseCount,
  coarseStall,
  survived,
  type ContenderResult,
  type FaultResults,
} from '../faults/result.ts'

const read = (path: string): Promise<string> =>
  readFile(new URL(`../${path}`, import.meta.url), 'utf8')

const file = await read('docs/faults.json')
const results = JSON.parse(file) as FaultResults
const [ours, ...peers] = results.contenders as [ContenderResult, ...ContenderResult[]]

t.test('docs/faults.md is what the generator makes of docs/faults.json', async (t) => {
  t.equal(await faultsPage(results), await read('docs/faults.md'))
  t.equal(await resultsFile(results), file)
})

t.test('the results are of the faults and the versions of today', async (t) => {
  t.strictSame(
    peers.map(({ name }) => name),
    [
      'jose',
      'get-jwks + fast-jwt',
      'jwks-rsa + jsonwebtoken',
      'aws-jwt-verify',
      'google-auth-library',
    ],
  )
  for (const { name, faults, versions } of results.contenders) {
    const measured = faults.map(({ fault }) => fault)
    t.strictSame(measured, namesOfFaults(), `${name} meets every fault`)
    const installed = versions.map((version) => installedVersion(version.split(' ', 1).join()))
    t.strictSame(versions, await Promise.all(installed), `versions of ${name}`)
  }
})

t.test('this library keeps its promises in the results', async (t) => {
  t.equal(ours.name, 'this library')
  t.strictSame(brokenPromises(ours), [])
  t.strictSame(survived(ours), { survived: FAULTS.length, of: FAULTS.length })
})

t.test('each promise that is broken is told', async (t) => {
  const [first, ...rest] = ours.faults
  const broken: ContenderResult = {
    ...ours,
    faults: [{ fault: first?.fault ?? '', survival: 'hangs' }, ...rest],
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
  t.strictSame(survived(broken), { survived: FAULTS.length - 1, of: FAULTS.length })
})

t.test('the table on the terminal has every fault and fits', async (t) => {
  const lines = terminalReport(results).split('\n')
  for (const name of namesOfFaults()) {
    t.ok(
      lines.some((line) => line.startsWith(`${name} `)),
      name,
    )
  }
  t.strictSame(
    lines.filter((line) => line.length > 100),
    [],
    'no line over 100 columns',
  )
})

t.test('a measure that varies with the machine is told coarsely', async (t) => {
  t.strictSame(
    [0, 5, 20, 21, 98, 149, 1_000, 9_973, 38_211].map(coarseCount),
    [0, 5, 20, 20, 100, 100, 1_000, 10_000, 40_000],
  )
  t.strictSame(
    [0.2, 19.9, 20, 60, 499, 999, 1_400, 5_010].map(coarseStall),
    [20, 20, 50, 100, 500, 1_000, 1_000, 5_000],
  )
})

function namesOfFaults(): string[] {
  return FAULTS.map(({ name }) => name)
}

async function installedVersion(name: string): Promise<string> {
  const directory = name === 'fastify-google-id-token' ? '' : `node_modules/${name}/`
  const { version } = JSON.parse(await read(`${directory}package.json`)) as { version: string }
  return `${name} ${version}`
}
