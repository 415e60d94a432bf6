/** `npm run faults`: measures every contender, prints what was found, and writes docs/faults.*. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Contender } from './contender.ts'
import { CONTENDERS } from './contenders.ts'
import { measure } from './measure.ts'
import { faultsPage, resultsFile, terminalReport } from './report.ts'
import { brokenPromises, type ContenderResult, type FaultResults } from './result.ts'

interface PackageJson {
  readonly name: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const root = new URL('../', import.meta.url)

// What escapes a contender must not end the run: it is part of what is measured.
let unhandled = 0
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, () => {
    unhandled += 1
  })
}

async function run(): Promise<number> {
  const versionOf = await installedVersions()
  const contenders: ContenderResult[] = []
  for (const contender of CONTENDERS) {
    process.stderr.write(`${contender.name} …\n`)
    contenders.push(await resultOf(contender, versionOf))
  }
  const results: FaultResults = { node: process.versions.node, contenders }
  await writeFile(new URL('docs/faults.json', root), await resultsFile(results))
  await writeFile(new URL('docs/faults.md', root), await faultsPage(results))
  process.stdout.write(terminalReport(results))
  const broken = contenders.slice(0, 1).flatMap(brokenPromises)
  for (const promise of broken) process.stderr.write(`Not kept by this library: ${promise}\n`)
  return broken.length === 0 ? 0 : 1
}

async function resultOf(
  contender: Contender,
  versionOf: (name: string) => string,
): Promise<ContenderResult> {
  unhandled = 0
  const measured = await measure(contender)
  return {
    ...measured,
    versions: contender.packages.map((name) => `${name} ${versionOf(name)}`),
    unhandled,
  }
}

/** Dependencies are pinned, so what is asked for is what is installed. */
async function installedVersions(): Promise<(name: string) => string> {
  const packageFile = await readFile(new URL('package.json', root), 'utf8')
  const { name, version, dependencies, devDependencies } = JSON.parse(packageFile) as PackageJson
  const versions = { ...devDependencies, ...dependencies, [name]: version }
  return (wanted) => versions[wanted] ?? 'of unknown version'
}

// A contender may leave timers behind that last for as long as its keys would live.
process.exit(
  await run().catch((error: unknown) => {
    console.error(error)
    return 1
  }),
)
