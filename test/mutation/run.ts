/**
 * `npm run test:mutation`: breaks the code in one place after the other, and lists the places where
 * no test has noticed. README.md in this folder says more.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Workspace } from '../matrix/workspace.ts'
import { GROUPS, type Group } from './groups.ts'
import { figures, mutantsOf, scoreOf, survivorsOf, type Report } from './report.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
/** Relative to the checkout, as Stryker wants it; git does not track it. */
const KEPT = '.mutation'
const STRYKER = join(checkout, KEPT, 'stryker')
/** The part of the mutants that the tests have to notice, in percent. */
const THRESHOLD = 95

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    force: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
})

function configOf({ name, mutate, tests }: Group): object {
  return {
    plugins: ['@stryker-mutator/tap-runner', './test/mutation/ignore-prose.js'],
    ignorers: ['prose'],
    testRunner: 'tap',
    // The runner starts a process for each test file, so this is by file.
    coverageAnalysis: 'perTest',
    tap: {
      nodeArgs: ['--import=./test/helpers/strip-types.js', '-r', '{{hookFile}}'],
      testFiles: tests.map((test) => `test/${test}.test.ts`),
    },
    mutate,
    concurrency: 2,
    // A machine that is busy with something else must not kill mutants.
    timeoutMS: 20_000,
    timeoutFactor: 3,
    incremental: true,
    incrementalFile: `${KEPT}/${name}/incremental.json`,
    tempDirName: `${KEPT}/${name}/sandbox`,
    ignorePatterns: ['dist', 'docs', 'site', '.*', '!.taprc'],
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: `${KEPT}/${name}/report.json` },
  }
}

/**
 * Once, and again when the lockfile has changed. Not in this folder: tap lists every file of `test`,
 * those of packages too, in a variable of the environment, which has a limit.
 */
function installStryker(): void {
  const lockfile = readFileSync(new URL('package-lock.json', import.meta.url), 'utf8')
  const installed = join(STRYKER, 'package-lock.json')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lockfile) return
  rmSync(STRYKER, { recursive: true, force: true })
  mkdirSync(STRYKER, { recursive: true })
  cpSync(new URL('package.json', import.meta.url), join(STRYKER, 'package.json'))
  writeFileSync(installed, lockfile)
  execFileSync('npm', ['ci', '--silent'], { cwd: STRYKER, stdio: 'inherit' })
}

/** Stryker needs Node 22; from 22.18 on Node strips types itself, which makes each test quicker. */
async function nodeDirectory(): Promise<string> {
  const { typescript } = process.features as { readonly typescript?: unknown }
  if (typescript !== undefined && typescript !== false) return dirname(process.execPath)
  const workspace = new Workspace(join(checkout, KEPT))
  const directory = join(workspace.directory, 'node-24', 'node_modules')
  const installed = existsSync(directory)
    ? readdirSync(directory).find((name) => name.startsWith('node-'))
    : undefined
  if (installed !== undefined) return join(directory, installed, 'bin')
  return (await workspace.installNode('24')).directory
}

async function mutateGroup(group: Group, nodeBin: string): Promise<void> {
  const directory = join(checkout, KEPT, group.name)
  mkdirSync(directory, { recursive: true })
  const config = join(directory, 'stryker.json')
  writeFileSync(config, JSON.stringify(configOf(group)))
  const stryker = join(STRYKER, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const args = [stryker, 'run', config, ...(values.force ? ['--force'] : [])]
  const child = spawn(join(nodeBin, 'node'), args, {
    cwd: checkout,
    env: {
      ...process.env,
      PATH: [nodeBin, process.env.PATH].join(delimiter),
      // Not in `.mutation`: tap lists every file of the project outside of node_modules.
      NODE_COMPILE_CACHE: join(checkout, 'node_modules/.cache/mutation'),
      // A test that waits for what a mutant never does.
      TAP_TIMEOUT: process.env.TAP_TIMEOUT ?? '10',
    },
    stdio: 'inherit',
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (exitCode !== 0) throw new Error(`Stryker has failed for ${group.name}`)
}

const groups = GROUPS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (groups.length === 0) throw new Error(`no such group; there are ${GROUPS.map((g) => g.name)}`)
if (!values.report) {
  installStryker()
  const nodeBin = await nodeDirectory()
  for (const group of groups) await mutateGroup(group, nodeBin)
}
const files = groups.flatMap(({ name }) => {
  const report = readFileSync(join(checkout, KEPT, name, 'report.json'), 'utf8')
  return Object.entries((JSON.parse(report) as Report).files)
})
const page = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const survivors = survivorsOf(files)
const unexplained = survivors.filter((survivor) => !page.includes(survivor))
process.stdout.write(
  `${figures(files)}\n${survivors.length} survivors, ${unexplained.length} that README.md does not list\n${unexplained.join('\n')}\n`,
)
process.exitCode = scoreOf(mutantsOf(files)) >= THRESHOLD ? 0 : 1
