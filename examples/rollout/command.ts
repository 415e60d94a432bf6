import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** How a command is run. */
export interface Running {
  /** Where it finds its files. */
  folder: string
  stdin?: string
}

/** What a run of the command line has printed. */
export interface Ran {
  code: number
  stdout: string
}

/** `npx fastify-google-id-token`, from the sources of this repository. */
export async function runCommand(line: string, { folder, stdin = '' }: Running): Promise<Ran> {
  const words = line.split(' ').map((word) => (word.endsWith('.json') ? `${folder}/${word}` : word))
  const child = spawn(process.execPath, [...process.execArgv, CLI, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(stdin)
  const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code: child.exitCode ?? 1, stdout }
}
