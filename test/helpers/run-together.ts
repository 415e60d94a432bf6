/**
 * Runs many test files in one process. A process of its own for each takes twice as long: most test
 * files are done sooner than their process has loaded tap, Fastify and the package.
 */
import { readdirSync } from 'node:fs'
import t from 'tap'

const tests = new URL('../', import.meta.url)

/** The name of a file that needs a process of its own: `.taprc` runs each by itself. */
const OWN_PROCESS = '.own-process.test.ts'

/** The folders of `test/` by the process that runs them. What is in no such folder is in `others`. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  adapters: ['adapters'],
  cli: ['cli'],
  client: ['client'],
  'cloud-run': ['testing/cloud-run'],
  emulator: ['testing/emulator', 'testing/issuer', 'testing/push'],
  keys: ['keys'],
  telemetry: ['telemetry'],
  verifier: ['verifier', 'token', 'request'],
}

/** Run by `npm run test:long`. */
const LONG = 'long'

/**
 * Runs the test files of one process, one after the other. No file leaves anything to the next: the
 * environment is put back, and a listener that is left is a failure.
 */
export async function runTogether(name: string): Promise<void> {
  const env = { ...process.env }
  const listeners = countListeners()
  for (const file of testFilesOf(name)) {
    // The tests of this file are queued behind this one, and the next file behind them.
    await t.test(file, async (t) => {
      putBack(env)
      t.strictSame(countListeners(), listeners, 'the file before it left no listener')
      await import(new URL(file, tests).href)
    })
  }
}

function testFilesOf(name: string): string[] {
  return readdirSync(tests, { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith(OWN_PROCESS))
    .filter((file) => !isIn(LONG, file) && processOf(file) === name)
    .sort()
}

function processOf(file: string): string {
  const named = Object.entries(FOLDERS).find(([, folders]) =>
    folders.some((folder) => isIn(folder, file)),
  )
  return named?.[0] ?? 'others'
}

function isIn(folder: string, file: string): boolean {
  return file.startsWith(`${folder}/`)
}

function putBack(env: Readonly<NodeJS.ProcessEnv>): void {
  for (const name of Object.keys(process.env)) {
    if (!Object.hasOwn(env, name)) Reflect.deleteProperty(process.env, name)
  }
  Object.assign(process.env, env)
}

/** Of the events by which a process hears of what nobody has caught. */
function countListeners(): number[] {
  return ['uncaughtException', 'unhandledRejection', 'warning'].map((event) =>
    process.listenerCount(event),
  )
}
