import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createTestIssuer } from '../src/testing.ts'
import { benchChart } from '../bench/chart.ts'
import { AUDIENCE, CONTENDERS, type Contender } from '../bench/contender.ts'
import { CostMeter } from '../bench/cost.ts'
import { startKeyEndpoints } from '../bench/endpoints.ts'
import { benchPage, resultsFile, terminalReport } from '../bench/report.ts'
import type { BenchResults } from '../bench/result.ts'
import { interleaved } from '../bench/sections/rounds.ts'
import { SERVERS, type BenchServer } from '../bench/server.ts'
import { median, medianRatio } from '../bench/statistics.ts'
import { missedTargets, TARGETS } from '../bench/targets.ts'
import { CALLER } from '../bench/tokens.ts'

const read = (path: string): Promise<string> =>
  readFile(new URL(`../${path}`, import.meta.url), 'utf8')

const file = await read('docs/bench.json')
const results = JSON.parse(file) as BenchResults

t.test('the page and the chart are what the generator makes of docs/bench.json', async (t) => {
  t.equal(await resultsFile(results), file)
  t.equal(await benchPage(results), await read('docs/bench.md'))
  t.equal(await benchChart(results), await read('docs/bench.svg'))
})

t.test('the results are of the contenders and servers of today', async (t) => {
  const contenders = CONTENDERS.map(({ name }) => name)
  for (const measured of Object.values({ ...results.verify, ...results.badTokens })) {
    t.strictSame(
      measured.map(({ name }) => name),
      contenders,
    )
  }
  for (const measured of [results.http.one, results.http.thousand]) {
    t.strictSame(
      measured.map(({ name }) => name),
      SERVERS.map(({ name }) => name),
    )
  }
})

t.test('what is missed has beside it what could be reached', async (t) => {
  for (const { what, floor } of missedTargets(results)) t.type(floor, 'function', what)
})

t.test('a figure that is out of bounds is told', async (t) => {
  const grown = [
    { tokens: 1, bytes: 100 },
    { tokens: 2, bytes: 200 },
  ]
  const broken = { ...results, memory: { perToken: [], heap: grown } }
  const missed = missedTargets(results)
  t.strictSame(
    missedTargets(broken)
      .filter((target) => !missed.includes(target))
      .map(({ what }) => what),
    ['heap of a cached token', 'heap after 1,000,000 distinct tokens, of that after half of them'],
    'one that was not measured is out of bounds as well',
  )
  t.match(terminalReport(broken), /heap of a cached token .* missed/)
  t.equal(TARGETS.length, new Set(TARGETS.map(({ what }) => what)).size)
})

t.test('medians, and ratios round by round', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(medianRatio([2, 40, 6], [1, 20, 3]), 2, 'a slow round is slow for both')
})

t.test('each is measured once a round, and a first round does not count', async (t) => {
  const order: string[] = []
  const candidate = (name: string): Parameters<typeof interleaved<'figure'>>[0][number] => ({
    name,
    measure: async () => {
      order.push(name)
      return { figure: order.length }
    },
  })
  const measured = await interleaved([candidate('a'), candidate('b')], 2)
  t.equal(order.join(''), 'ababab')
  t.strictSame(measured, [
    { name: 'a', rounds: { figure: [3, 5] } },
    { name: 'b', rounds: { figure: [4, 6] } },
  ])
})

t.test('costs are of the work alone', async (t) => {
  const meter = new CostMeter()
  await meter.measure(() => {
    let sum = 0
    for (let i = 0; i < 20_000_000; i += 1) sum += i % 7
    return sum > 0 ? 1 : 0
  })
  const { operations, wall, mainThread, process } = meter.total
  t.equal(operations, 1)
  t.ok(mainThread > 0 && process >= mainThread * 0.9 && wall >= mainThread * 0.9)
})

t.test('every contender judges', async (t) => {
  const issuer = await createTestIssuer()
  const endpoints = await startKeyEndpoints(issuer.jwks)
  t.teardown(endpoints.close)
  const good = await issuer.idToken({ audience: AUDIENCE, email: CALLER })
  const bad = await issuer.idToken({ audience: 'https://profiles.run.app', email: CALLER })
  for (const { file, name, takesPem, isSignatureOnly } of CONTENDERS) {
    const module = (await import(`../bench/contenders/${file}.ts`)) as { contender: Contender }
    const uri = takesPem ? endpoints.pemUri : endpoints.jwksUri
    const { verify, prepare } = await module.contender.create(uri)
    const judge = async (token: string): Promise<unknown> =>
      verify((prepare === undefined ? token : prepare(token)) as never)
    await t.resolves(judge(good), `${name} accepts a good token`)
    const forged = `${bad.slice(0, -9)}AAAAAAAAA`
    await t.rejects(judge(isSignatureOnly ? forged : bad), `${name} refuses a bad one`)
  }
})

t.test('every server guards', async (t) => {
  const issuer = await createTestIssuer()
  const endpoints = await startKeyEndpoints(issuer.jwks)
  t.teardown(endpoints.close)
  const good = await issuer.idToken({ audience: AUDIENCE, email: CALLER })
  const bad = await issuer.idToken({ audience: 'https://profiles.run.app', email: CALLER })
  for (const { file, name, takesPem, isLimit } of SERVERS) {
    const module = (await import(`../bench/servers/${file}.ts`)) as { server: BenchServer }
    const uri = takesPem ? endpoints.pemUri : endpoints.jwksUri
    const { port, close } = await module.server.start(uri, 1)
    const status = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`http://127.0.0.1:${port}/`, { headers })).status
    }
    t.equal(await status(good), 200, `${name} lets a good token in`)
    if (!isLimit) t.not(await status(bad), 200, `${name} guards`)
    await close()
  }
})
