import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CONTENDERS } from '../contender.ts'
import type { Measured } from '../result.ts'
import { readTokens } from '../tokens.ts'
import { interleaved } from './rounds.ts'
import { keysUri, type Setup } from './setup.ts'

const run = promisify(execFile)

/** What importing this package adds to a process that has Fastify. */
export function measureImport({
  isQuick,
}: Setup): Promise<readonly Measured<'fastify' | 'plugin'>[]> {
  const measure = (): Promise<Record<'fastify' | 'plugin', number>> => answerOf('import')
  return interleaved([{ name: 'fastify-google-id-token', measure }], isQuick ? 15 : 41)
}

/** Milliseconds that a new process takes until it has verified a token, its keys fetched. */
export async function measureFirstVerified(
  setup: Setup,
): Promise<readonly Measured<'milliseconds'>[]> {
  const { repeated } = await readTokens(setup.tokenFile)
  return interleaved(
    CONTENDERS.filter(({ isFloor }) => !isFloor).map((contender) => ({
      name: contender.name,
      measure: () =>
        answerOf<'milliseconds'>('first-verified', [
          contender.file,
          keysUri(setup, contender),
          ...repeated,
        ]),
    })),
    setup.isQuick ? 3 : 21,
  )
}

/** What the start-up checks and the list of routes cost where there are many routes. */
export function measureRoutes({ isQuick }: Setup): Promise<readonly Measured<'milliseconds'>[]> {
  return interleaved(
    ['1000', '5000'].map((count) => ({
      name: count,
      measure: () => answerOf<'milliseconds'>('routes', [count]),
    })),
    isQuick ? 3 : 15,
    0,
  )
}

/** Heap for a token that is kept. */
export function measureMemory(setup: Setup): Promise<readonly Measured<'bytes'>[]> {
  return interleaved(
    CONTENDERS.filter(({ cachesTokens }) => cachesTokens).map((contender) => ({
      name: contender.name,
      measure: () =>
        answerOf<'bytes'>('memory', [contender.file, keysUri(setup, contender), setup.tokenFile]),
    })),
    setup.isQuick ? 3 : 5,
    0,
  )
}

/** What a program of its own prints as JSON. */
async function answerOf<Figure extends string>(
  program: string,
  args: readonly string[] = [],
): Promise<Record<Figure, number>> {
  const path = fileURLToPath(new URL(`../processes/${program}.js`, import.meta.url))
  const { stdout } = await run(process.execPath, ['--expose-gc', path, ...args])
  return JSON.parse(stdout) as Record<Figure, number>
}
