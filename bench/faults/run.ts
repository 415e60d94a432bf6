/** `npm run faults`: measures every contender, prints what was found, and writes docs/faults.*. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Contender } from './contender.ts'
import { CONTENDERS } from './contenders.ts'
import { measure } from './measure.ts'
import { faultsPage, resultsFile, terminalReport } from './report.ts'
import { brokenPromises, type ContenderResult, type FaultResults } from './result.ts'

const root = new URL('../../', import.meta.url)

// What escapes a contender must not end the run: it is part of what is measured.
let unhandled = 0
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, () => {
    unhandled += 1
  })
}

async function run(): Promise<number> {
  const contenders: ContenderResult[] = []
  for (const contender of CONTENDERS) {
    process.stderr.write(`${contender.name} …\n`)
    contenders.push(await resultOf(contender))
  }
  const results: FaultResults = { node: process.versions.node, contenders }
  await writeFile(new URL('docs/faults.json', root), await resultsFile(results))
  await writeFile(new URL('docs/faults.md', root), await faultsPage(results))
  process.stdout.write(terminalReport(results))
  const broken = contenders.slice(0, 1).flatMap(brokenPromises)
  for (const promise of broken) process.stderr.write(`Not kept by this library: ${promise}\n`)
  return broken.length === 0 ? 0 : 1
}

async function resultOf(contender: Contender): Promise<ContenderResult> {
  unhandled = 0
  const measured = await measure(contender)
  const versions = await Promise.all(contender.packages.map(installedVersion))
  return { ...measured, versions, unhandled }
}

async function installedVersion(name: string): Promise<string> {
  const directory = name === 'fastify-google-id-token' ? '' : `node_modules/${name}/`
  const packageFile = await readFile(new URL(`${directory}package.json`, root), 'utf8')
  const { version } = JSON.parse(packageFile) as { version: string }
  return `${name} ${version}`
}

// A contender may leave timers behind that last for as long as its keys would live.
process.exit(
  await run().catch((error: unknown) => {
    console.error(error)
    return 1
  }),
)
