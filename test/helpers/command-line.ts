import { Readable } from 'node:stream'
import { run } from '../../src/cli/run.ts'
import type { Io } from '../../src/cli/io.ts'

/** What a run of the command line has done. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What a run is given besides its arguments. */
export interface Surroundings {
  /** `null`: standard input is a terminal. */
  readonly stdin?: string | Readable | null
  readonly env?: Record<string, string>
  /** The streams that are terminals. */
  readonly terminals?: readonly ('stdout' | 'stderr')[]
  readonly now?: () => number
  readonly interrupted?: Promise<void>
  /** Called with each text on standard output. */
  readonly onOutput?: (text: string) => void
}

/** Runs a verb in this process, with streams of its own. */
export async function runVerb(
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Ran> {
  const { stdin = '', env = {}, terminals = [], now = Date.now, onOutput } = surroundings
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): Io['stdout'] => ({
    isTTY: terminals.includes(name),
    write: (text) => {
      written[name] += text
      if (name === 'stdout') onOutput?.(text)
    },
  })
  const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin
  const code = await run(args, {
    stdin: Object.assign(input ?? Readable.from([]), { isTTY: stdin === null }),
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    now,
    interrupted: () => surroundings.interrupted ?? new Promise(() => undefined),
  })
  return { code, ...written }
}

/** The JSON that a run has printed. */
export function jsonOf({ stdout }: Ran): never {
  return JSON.parse(stdout) as never
}
