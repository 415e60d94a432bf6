import { createRequire } from 'node:module'
import { ServiceClientError } from '../client/service-client-error.ts'
import { suggestion } from '../checks/invalid-option.ts'
import { failureLines } from './client-failure.ts'
import { COMMAND } from './command-name.ts'
import { overview } from './help.ts'
import { NoAnswer, printLines, UsageError, type ExitCode, type Io } from './io.ts'
import { VERBS } from './verbs.ts'

/** Runs the command line: the verb and its arguments. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const [name = '', ...others] = args
  try {
    return await runVerb(name, others, io)
  } catch (error) {
    if (isWrongUsage(error)) {
      const help = VERBS.has(name) ? `${name} --help` : '--help'
      printLines(io.stderr, [(error as Error).message, `See: ${COMMAND} ${help}`])
      return 2
    }
    if (error instanceof ServiceClientError) {
      printLines(io.stderr, failureLines(error, name))
      return 1
    }
    if (!(error instanceof NoAnswer)) throw error
    printLines(io.stderr, [error.message])
    return 1
  }
}

async function runVerb(name: string, args: readonly string[], io: Io): Promise<ExitCode> {
  const load = VERBS.get(name)
  if (load !== undefined) return (await load()).run(args, io)
  if (name === '--version') {
    printLines(io.stdout, [packageVersion()])
    return 0
  }
  if (name !== '--help' && name !== 'help') throw new UsageError(verbNeeded(name))
  const verbs = await Promise.all([...VERBS.values()].map((load) => load()))
  io.stdout.write(overview(verbs.map(({ text }) => text)))
  return 0
}

/** An argument is quoted only where it is a word: one of another kind may be a token. */
function verbNeeded(given: string): string {
  const verbs = [...VERBS.keys()]
  const needed = `A verb is needed: ${verbs.join(', ')}`
  if (given === '') return needed
  if (!/^-{0,2}[a-z-]{1,20}$/.test(given)) return `The first argument is no verb. ${needed}`
  return `There is no verb ${given}. ${needed}${suggestion(given, verbs)}`
}

/** The package is found by its own name, wherever the build has put this file. */
function packageVersion(): string {
  const require = createRequire(import.meta.url)
  return (require(`${COMMAND}/package.json`) as { version: string }).version
}

/** Options of the command line are options of the library, which names a wrong one itself. */
function isWrongUsage(error: unknown): boolean {
  return (
    error instanceof UsageError || (error as { code?: unknown }).code === 'ID_TOKEN_OPTION_INVALID'
  )
}
