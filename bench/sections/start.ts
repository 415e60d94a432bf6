import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CONTENDERS } from '../contender.ts'
import type { BenchResults } from '../result.ts'
import { readTokens } from '../tokens.ts'
import { keysUri, type BenchSetup } from './bench-setup.ts'
import { interleaved, type Candidate } from './rounds.ts'

const ROUNDS = 21

const run = promisify(execFile)

/** What a new process pays before it can verify. */
export async function measureStart(setup: BenchSetup): Promise<BenchResults['start']> {
  const { repeated } = await readTokens(setup.tokenFile)
  setup.tell('start, first verified token')
  const peers = CONTENDERS.filter(({ isLimit }) => !isLimit)
  const firstVerified = await interleaved(
    peers.map((contender) =>
      program(contender.name, 'first-verified', [
        contender.file,
        keysUri(setup, contender),
        ...repeated,
      ]),
    ),
    ROUNDS,
  )
  setup.tell('start, imports')
  const imports = await interleaved(
    IMPORTED.map((names) => program(names.join(' + '), 'import-packages', names)),
    ROUNDS,
  )
  return { firstVerified, imports }
}

/** The main entry, and the packages that any entry like it is made of. */
const IMPORTED = [['fastify-google-id-token'], ['jose', 'fastify-plugin', 'lru-cache']]

function program(name: string, file: string, args: readonly string[]): Candidate<'milliseconds'> {
  const path = fileURLToPath(new URL(`../processes/${file}.js`, import.meta.url))
  return {
    name,
    measure: async () => {
      const { stdout } = await run(process.execPath, [path, ...args])
      return { milliseconds: Number(stdout) }
    },
  }
}
