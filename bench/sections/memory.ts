import { CONTENDERS } from '../contender.ts'
import type { MemoryQuestion } from '../processes/memory-process.ts'
import { startSubject } from '../processes/subject.ts'
import type { BenchResults } from '../result.ts'
import { keysUri, type BenchSetup } from './bench-setup.ts'

const DISTINCT = 1_000_000
const EVERY = 100_000

/** The heap of a cached token, and of a process that has seen a million of them. */
export async function measureMemory(setup: BenchSetup): Promise<BenchResults['memory']> {
  const perToken: { name: string; bytes: number }[] = []
  for (const { file, name, cachesTokens, ...contender } of CONTENDERS) {
    if (cachesTokens) {
      setup.tell(`memory, ${name}`)
      const question = { contender: file, jwksUri: keysUri(setup, contender) }
      const [bytes = NaN] = await ask(setup, question)
      perToken.push({ name, bytes: Math.round(bytes) })
    }
  }
  setup.tell('memory, a million tokens (some minutes: each has to be signed)')
  const heaps = await ask(setup, { distinct: DISTINCT, every: EVERY })
  return { perToken, heap: heaps.map((bytes, i) => ({ tokens: (i + 1) * EVERY, bytes })) }
}

async function ask({ tokenFile }: BenchSetup, question: MemoryQuestion): Promise<number[]> {
  const subject = startSubject<MemoryQuestion, number[]>(
    'memory-process',
    [tokenFile],
    ['--expose-gc'],
  )
  try {
    return await subject.ask(question)
  } finally {
    await subject.end()
  }
}
