import { ServiceClientError } from '../client/service-client-error.ts'
import { COMMAND, overview } from './help.ts'
import { NegativeAnswer, printLines, UsageError, type ExitCode, type Io } from './io.ts'
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
      const { reason } = error.detail
      const said = reason === undefined ? [] : [`What was said: ${reason}`]
      printLines(io.stderr, [`${error.code}: ${error.message}`, ...said])
      return 1
    }
    if (!(error instanceof NegativeAnswer)) throw error
    printLines(io.stderr, [error.message])
    return 1
  }
}

async function runVerb(name: string, args: readonly string[], io: Io): Promise<ExitCode> {
  const load = VERBS.get(name)
  if (load !== undefined) return (await load()).run(args, io)
  if (name !== '--help' && name !== 'help') {
    throw new UsageError(`A verb is needed: ${[...VERBS.keys()].join(', ')}`)
  }
  const verbs = await Promise.all([...VERBS.values()].map((load) => load()))
  io.stdout.write(overview(verbs.map(({ text }) => text)))
  return 0
}

/** Options of the command line are options of the library, which names a wrong one itself. */
function isWrongUsage(error: unknown): boolean {
  return (
    error instanceof UsageError || (error as { code?: unknown }).code === 'ID_TOKEN_OPTION_INVALID'
  )
}
