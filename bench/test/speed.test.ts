import t, { type Test } from 'tap'
import { createTestIssuer } from '../../src/testing.ts'
import { benchChart } from '../speed/chart.ts'
import { AUDIENCE, CONTENDERS, OURS, type Contender } from '../speed/contender.ts'
import { CostMeter } from '../speed/cost.ts'
import { startKeyEndpoints } from '../speed/endpoints.ts'
import { pooled } from '../speed/figures.ts'
import { GOALS, missedGoals } from '../speed/goals.ts'
import { interleaved } from '../speed/measures/rounds.ts'
import { benchPage, terminalReport } from '../speed/report.ts'
import type { BenchResults } from '../speed/result.ts'
import { SERVERS, WITH_AUDIT_LOG, type BenchServer } from '../speed/server.ts'
import { mean, median, medianRatio, rounded } from '../speed/statistics.ts'
import { CALLER, KINDS, type Kind } from '../speed/tokens.ts'

t.test('medians, and ratios round by round', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(mean([1, 2, 6]), 3)
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
  t.equal(order.join(''), 'baabba', 'in turn from either end')
  t.strictSame(measured, [
    { name: 'a', rounds: { figure: [3, 6] } },
    { name: 'b', rounds: { figure: [4, 5] } },
  ])
})

t.test('who has more turns in a round counts by their mean', async (t) => {
  const order: string[] = []
  const candidate = (name: string, turns?: number) => ({
    name,
    ...(turns !== undefined && { turns }),
    measure: async () => {
      order.push(name)
      return { figure: order.length }
    },
  })
  const measured = await interleaved([candidate('a', 3), candidate('b'), candidate('c', 3)], 1, 0)
  t.equal(order.join(''), 'abccaac')
  t.strictSame(measured, [
    { name: 'a', rounds: { figure: [4] } },
    { name: 'b', rounds: { figure: [2] } },
    { name: 'c', rounds: { figure: [rounded((3 + 4 + 7) / 3)] } },
  ])
})

t.test('costs and operations add up', async (t) => {
  const meter = new CostMeter()
  await meter.measure(() => 2)
  const { wall } = meter.total
  await meter.measure(() => Promise.resolve(3))
  t.equal(meter.total.operations, 5)
  t.ok(meter.total.wall > wall, 'the second to the first')
  t.ok(meter.total.process >= 0 && meter.total.mainThread >= 0)
})

t.test('rounds of a measurement that is repeated count as one', async (t) => {
  const first = [{ name: 'a', rounds: { user: [1, 2], system: [3, 4] } }]
  const second = [{ name: 'a', rounds: { user: [5], system: [6] } }]
  t.strictSame(pooled(first, second), [
    { name: 'a', rounds: { user: [1, 2, 5], system: [3, 4, 6] } },
  ])
})

t.test(
  'a goal is missed on the wrong side of its bound, and where nothing was measured',
  async (t) => {
    const within = { fastify: [80, 90], plugin: [8, 9] }
    const missed = (plugin: readonly number[]): boolean =>
      missedGoals({
        ...resultsOf(1),
        import: [{ name: 'fastify-google-id-token', rounds: { ...within, plugin } }],
      }).some(({ measurement }) => measurement === 'import')
    t.notOk(missed(within.plugin))
    t.ok(missed([40, 41]))
    t.ok(missed([]))
  },
)

t.test('the page, the chart and the terminal show every contender, server and goal', async (t) => {
  const results = resultsOf(1234)
  const [page, chart, terminal] = [
    await benchPage(results),
    benchChart(results),
    terminalReport(results),
  ]
  for (const { name, isDigestOnly } of CONTENDERS) {
    t.match(page, `| ${name} `)
    if (!isDigestOnly) t.match(chart, name)
  }
  for (const { name, framework } of SERVERS) {
    t.match(page, `| ${name} `)
    if (framework === 'Fastify') t.match(chart, name)
  }
  t.equal(terminal.match(/ (?:reached|missed)$/gm)?.length, GOALS.length)
})

t.test('every contender verifies', async (t) => {
  const { issuer, endpoints } = await startEndpoints(t)
  const good = await issuer.idToken({ audience: AUDIENCE, email: CALLER })
  const bad = await issuer.idToken({ audience: 'https://profiles.run.app', email: CALLER })
  for (const { file, name, takesPem, isDigestOnly } of CONTENDERS) {
    const module = (await import(`../speed/contenders/${file}.ts`)) as { contender: Contender }
    const uri = takesPem ? endpoints.pemUri : endpoints.jwksUri
    const { verify } = await module.contender.create(uri)
    const verified = async (token: string): Promise<unknown> => verify(token)
    await t.resolves(verified(good), `${name} accepts a good token`)
    if (!isDigestOnly) await t.rejects(verified(bad), `${name} refuses a bad one`)
  }
})

t.test('every server guards', async (t) => {
  const { issuer, endpoints } = await startEndpoints(t)
  const good = await issuer.idToken({ audience: AUDIENCE, email: CALLER })
  const bad = await issuer.idToken({ audience: 'https://profiles.run.app', email: CALLER })
  for (const { file, name, takesPem, isFloor } of [...SERVERS, WITH_AUDIT_LOG]) {
    const module = (await import(`../speed/servers/${file}.ts`)) as { server: BenchServer }
    const uri = takesPem ? endpoints.pemUri : endpoints.jwksUri
    const { port, close } = await module.server.start(uri)
    const status = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`http://127.0.0.1:${port}/`, { headers })).status
    }
    t.equal(await status(good), 200, `${name} lets a good token in`)
    if (!isFloor) t.not(await status(bad), 200, `${name} guards`)
    await close()
  }
})

async function startEndpoints(t: Test) {
  const issuer = await createTestIssuer()
  const endpoints = await startKeyEndpoints(issuer.jwks)
  t.teardown(endpoints.close)
  return { issuer, endpoints }
}

/** Results in which every figure is the same. */
function resultsOf(figure: number): BenchResults {
  const measured = <Figure extends string>(names: readonly string[], ...figures: Figure[]) =>
    names.map((name) => ({
      name,
      rounds: Object.fromEntries(figures.map((one) => [one, [figure]])) as Record<Figure, number[]>,
    }))
  const contenders = CONTENDERS.map(({ name }) => name)
  const servers = SERVERS.map(({ name }) => name)
  const verified = measured(contenders, 'perSecond', 'mainThread', 'process')
  return {
    machine: { cpu: 'a CPU', cores: 2, node: '20.0.0' },
    versions: { 'fastify-google-id-token': '0.0.0' },
    ...(Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, verified])) as Record<
      Kind,
      typeof verified
    >),
    'http known': measured(servers, 'user', 'system', 'total'),
    'http audit log': measured([OURS, WITH_AUDIT_LOG.name], 'user', 'system', 'total'),
    'http all': measured(servers, 'user', 'system', 'total'),
    import: measured(['fastify-google-id-token'], 'fastify', 'plugin'),
    'first verified': measured(contenders, 'milliseconds'),
    routes: measured(['1000', '5000'], 'milliseconds'),
    memory: measured(contenders, 'bytes'),
  }
}
