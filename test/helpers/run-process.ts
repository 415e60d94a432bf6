import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a process ended. */
export interface EndedProcess {
  /** `null` where it did not end by itself. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a module of `processes/` with this process's own loader, and waits until it ends.
 *
 * @param limit - milliseconds after which it is ended
 * @param flags - of Node, beside this process's own
 */
export async function runProcess(
  name: string,
  args: readonly string[] = [],
  limit = 20_000,
  flags: readonly string[] = [],
): Promise<EndedProcess> {
  const file = fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, ...flags, file, ...args], {
    timeout: limit,
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  }
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, ...output }
}
