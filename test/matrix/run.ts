/**
 * `npm run test:matrix`: the tests with each version of Node and each of Fastify that the package
 * is for. CONTRIBUTING.md says how to choose some of them.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from 'table'
import { cellsOf, countsOf, failuresIn, FASTIFIES, NODES, type Cell, type Counts } from './cells.ts'
import { CONSUMERS, pack, tryOut } from './consumers.ts'
import { run, Workspace, type Installed } from './workspace.ts'

interface Result extends Counts {
  /** As the table has it: Node, Fastify, tests. */
  readonly row: readonly [string, string, string]
  readonly milliseconds: number
}

const { values } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: NODES },
    fastify: { type: 'string', multiple: true, default: FASTIFIES },
    full: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
})

/** The tests in which a Fastify answers, and those that compile against its types. */
const FASTIFY_TESTS =
  /^(?:adapters|cli|client|long\/examples|long\/google-auth-library-11|long\/package|long\/pages\/reference|telemetry|testing|verifier\/(?:attacks|fixture-rows))\b.*\.test\.ts$/

/** Those of `npm run test:long` that run in processes of the cell's Node. */
const LONG_TESTS = /^long\/(?:examples|google-auth-library-11|package|pages)\b.*\.test\.ts$/

async function main(): Promise<boolean> {
  const cells = cellsOf(values.node, values.fastify, values.full)
  const workspace = new Workspace(mkdtempSync(join(tmpdir(), 'test-matrix-')))
  print(`in ${workspace.directory}`)
  await workspace.fill()
  const tarball = await pack(workspace)
  const installed = await installAll(workspace, cells)
  const results: Result[] = []
  for (const cell of cells) results.push(await runCell(workspace, cell, installed))
  for (const consumer of CONSUMERS) {
    print(`\n${consumer.name} …`)
    const start = performance.now()
    const { exitCode, output } = await tryOut(workspace, consumer, tarball)
    if (exitCode !== 0) print(output)
    const [passed, failed] = exitCode === 0 ? [1, 0] : [0, 1]
    const row = [process.versions.node, '5', consumer.name] as const
    results.push({ row, passed, failed, milliseconds: performance.now() - start })
  }
  return report(workspace, results)
}

/** Every version before the first test: one that cannot be had ends the run at once. */
async function installAll(
  workspace: Workspace,
  cells: readonly Cell[],
): Promise<ReadonlyMap<string, Installed>> {
  const installed = new Map<string, Installed>()
  for (const { node, fastify } of cells) {
    const [nodeName, fastifyName] = [`node ${node}`, `fastify ${fastify}`]
    if (!installed.has(nodeName)) installed.set(nodeName, await workspace.installNode(node))
    if (!installed.has(fastifyName)) {
      installed.set(fastifyName, await workspace.installFastify(fastify))
    }
  }
  return installed
}

async function runCell(
  workspace: Workspace,
  cell: Cell,
  installed: ReadonlyMap<string, Installed>,
): Promise<Result> {
  const node = installed.get(`node ${cell.node}`) as Installed
  const fastify = installed.get(`fastify ${cell.fastify}`) as Installed
  const name = `Node ${node.version}, Fastify ${fastify.version}`
  print(`\n${name} …`)
  workspace.useFastify(fastify)
  const start = performance.now()
  const log = workspace.log(`node-${node.version}-fastify-${fastify.version}`)
  let [passed, failed] = [0, 0]
  for (const tests of testsOf(cell)) {
    const command = ['node_modules/.bin/tap', '--reporter=tap', `--jobs=${values.jobs}`, ...tests]
    const { exitCode, output } = await run(workspace.copy, log, command, node.directory)
    const counts = countsOf(output, exitCode)
    passed += counts.passed
    failed += counts.failed
    if (counts.failed > 0) print([...failuresIn(output), `see ${log}`].join('\n'))
  }
  print(`${passed} passed, ${failed} failed`)
  const tests = cell.tests === 'all' ? 'all' : "Fastify's"
  const row = [node.version, fastify.version, tests] as const
  return { row, passed, failed, milliseconds: performance.now() - start }
}

/**
 * The arguments of tap, run by run. Part of the tests covers part of src, so coverage is asked for
 * of those of `npm test` as a whole only.
 */
function testsOf({ tests }: Cell): string[][] {
  const files = readdirSync(new URL('..', import.meta.url), { encoding: 'utf8', recursive: true })
  const withoutCoverage = (pattern: RegExp): string[] => [
    '--disable-coverage',
    '--timeout=600',
    ...files
      .map((file) => file.split(sep).join('/'))
      .filter((file) => pattern.test(file))
      .map((file) => `test/${file}`),
  ]
  return tests === 'all' ? [[], withoutCoverage(LONG_TESTS)] : [withoutCoverage(FASTIFY_TESTS)]
}

/** Prints the table and the counts of all cells; whether all is well. */
function report(workspace: Workspace, results: readonly Result[]): boolean {
  const rows = results.map(({ row, passed, failed, milliseconds }) => [
    ...row,
    passed,
    failed,
    `${Math.round(milliseconds / 1000)} s`,
  ])
  print(`\n${table([['Node', 'Fastify', 'tests', 'passed', 'failed', 'duration'], ...rows])}`)
  const sum = (name: keyof Counts): number => results.reduce((all, one) => all + one[name], 0)
  const [passed, failed] = [sum('passed'), sum('failed')]
  if (failed > 0 || values.keep) print(`the logs are in ${workspace.directory}`)
  else rmSync(workspace.directory, { recursive: true, force: true })
  print(`${passed} passed, ${failed} failed`)
  return failed === 0
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = (await main()) ? 0 : 1
