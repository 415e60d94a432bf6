/**
 * `npm run bench`: measures, prints what this library has to reach, and writes docs/bench.*. With
 * names of sections (`npm run bench -- verify http`) only these are measured, and the rest stays as
 * it was found the last time.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { createTestIssuer } from 'fastify-google-id-token/testing'
import { benchChart } from './chart.ts'
import { CONTENDERS } from './contender.ts'
import { startKeyEndpoints } from './endpoints.ts'
import { benchPage, resultsFile, terminalReport } from './report.ts'
import type { BenchResults } from './result.ts'
import { SECTIONS, type SectionName } from './sections.ts'
import { SERVERS } from './server.ts'
import { missedTargets } from './targets.ts'
import { makeTokens, withTokenFile } from './tokens.ts'

const root = new URL('../..', import.meta.url)
const RESULTS = new URL('docs/bench.json', root)

async function run(names: readonly SectionName[]): Promise<number> {
  tell('signing tokens')
  const issuer = await createTestIssuer()
  const tokens = await makeTokens(issuer)
  const endpoints = await startKeyEndpoints(issuer.jwks)
  const measured: Partial<Record<SectionName, unknown>> = {}
  await withTokenFile(tokens, async (tokenFile) => {
    for (const name of names) measured[name] = await SECTIONS[name]({ tokenFile, endpoints, tell })
  })
  await endpoints.close()
  const results = {
    ...(await lastResults()),
    machine: machine(),
    versions: await installedVersions(),
    ...measured,
  } as BenchResults
  await writeFile(RESULTS, await resultsFile(results))
  await writeFile(new URL('docs/bench.md', root), await benchPage(results))
  await writeFile(new URL('docs/bench.svg', root), await benchChart(results))
  process.stdout.write(terminalReport(results))
  return missedTargets(results).length === 0 ? 0 : 1
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
  const directory = name === 'fastify-google-id-token' ? '' : `node_modules/${name}/`
  const packageFile = await readFile(new URL(`${directory}package.json`, root), 'utf8')
  return (JSON.parse(packageFile) as { version: string }).version
}

function sectionNames(args: readonly string[]): SectionName[] {
  const all = Object.keys(SECTIONS) as SectionName[]
  const unknown = args.filter((arg) => !(all as string[]).includes(arg))
  if (unknown.length > 0) {
    throw new TypeError(`${unknown.join(', ')}: the sections are ${all.join(', ')}`)
  }
  return args.length === 0 ? all : all.filter((name) => args.includes(name))
}

process.exit(await run(sectionNames(parseArgs({ allowPositionals: true }).positionals)))
