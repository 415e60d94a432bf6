/**
 * `npm run bench`: measures, prints what this library has to reach, writes docs/bench.*, and fails
 * where a goal is missed. `--quick`: only what has a goal, in fewer rounds, and nothing is written. With
 * names of measurements (`npm run bench -- once 'http known'`) these alone are measured. What is not
 * measured stays as it was.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { createTestIssuer } from 'fastify-google-id-token/testing'
import { benchChart } from './chart.ts'
import { CONTENDERS } from './contender.ts'
import { startKeyEndpoints } from './endpoints.ts'
import { pooled } from './figures.ts'
import { hasGoal, missedGoals } from './goals.ts'
import { MEASURES } from './measures.ts'
import type { Setup } from './measures/setup.ts'
import { benchPage, resultsFile, terminalReport } from './report.ts'
import type { BenchResults, Measured, Measurement } from './result.ts'
import { SERVERS } from './server.ts'
import { makeTokens, withTokenFile } from './tokens.ts'

const root = new URL('../../..', import.meta.url)
const RESULTS = new URL('docs/bench.json', root)

/** How often a goal that is missed is measured again before the run fails. */
const AGAIN = { quick: 1, full: 2 }

async function run(names: readonly Measurement[], isQuick: boolean): Promise<number> {
  tell('signing tokens')
  const issuer = await createTestIssuer()
  const tokens = await makeTokens(issuer)
  const endpoints = await startKeyEndpoints(issuer.jwks)
  const results = await withTokenFile(tokens, (tokenFile) =>
    measureAndRepeat(names, { tokenFile, endpoints, isQuick }),
  )
  await endpoints.close()
  if (!isQuick) await writePages(results)
  process.stdout.write(terminalReport(results))
  return missedGoals(results).length === 0 ? 0 : 1
}

async function writePages(results: BenchResults): Promise<void> {
  await writeFile(RESULTS, await resultsFile(results))
  await writeFile(new URL('docs/bench.md', root), await benchPage(results))
  await writeFile(new URL('docs/bench.svg', root), benchChart(results))
}

async function measureAndRepeat(
  names: readonly Measurement[],
  setup: Setup,
): Promise<BenchResults> {
  const found: Partial<Record<Measurement, readonly Measured[]>> = {}
  const measure = async (name: Measurement): Promise<void> => {
    const measured: readonly Measured[] = await MEASURES[name](setup)
    const earlier = found[name]
    found[name] = earlier === undefined ? measured : pooled(earlier, measured)
  }
  const before = await lastResults()
  const about = { machine: machine(), versions: await installedVersions() }
  const all = (): BenchResults => ({ ...before, ...about, ...found }) as BenchResults
  for (const name of names) {
    tell(name)
    await measure(name)
  }
  // A disturbance of the machine is gone after a while, a regression is not.
  for (let times = AGAIN[setup.isQuick ? 'quick' : 'full']; times > 0; times -= 1) {
    const missed = new Set(missedGoals(all()).map(({ measurement }) => measurement))
    for (const name of names.filter((one) => missed.has(one))) {
      tell(`${name}, in more rounds`)
      await measure(name)
    }
  }
  return all()
}

function tell(step: string): void {
  process.stderr.write(`${step} …\n`)
}

async function lastResults(): Promise<object> {
  try {
    return JSON.parse(await readFile(RESULTS, 'utf8')) as object
  } catch {
    return {}
  }
}

function machine(): BenchResults['machine'] {
  const all = cpus()
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, node: process.versions.node }
}

async function installedVersions(): Promise<Record<string, string>> {
  const names = new Set([...CONTENDERS, ...SERVERS].flatMap(({ packages }) => packages))
  const versions: Record<string, string> = {}
  for (const name of names) versions[name] = await installedVersion(name)
  return versions
}

async function installedVersion(name: string): Promise<string> {
  const packageFile = await readFile(new URL(`node_modules/${name}/package.json`, root), 'utf8')
  return (JSON.parse(packageFile) as { version: string }).version
}

function measurements(args: readonly string[], isQuick: boolean): Measurement[] {
  const all = Object.keys(MEASURES) as Measurement[]
  const unknown = args.filter((arg) => !(all as string[]).includes(arg))
  if (unknown.length > 0) {
    throw new TypeError(`${unknown.join(', ')}: what is measured is ${all.join(', ')}`)
  }
  if (args.length > 0) return all.filter((name) => args.includes(name))
  return isQuick ? all.filter((name) => hasGoal(name)) : all
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
})
process.exit(await run(measurements(positionals, values.quick), values.quick))
