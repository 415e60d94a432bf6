import { CONTENDERS, type NamedContender } from '../contender.ts'
import type { Cost } from '../cost.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import type { VerifyQuestion } from '../processes/verify-process.ts'
import type { BenchResults, Measured, VerifyFigure } from '../result.ts'
import { keysUri, type BenchSetup } from './bench-setup.ts'
import { KINDS, type Kind } from '../tokens.ts'
import { interleaved, type Candidate } from './rounds.ts'

/** Many and short: a machine that others use as well is slow for a while, and then for all. */
const ROUNDS = 32
/** Until the code is optimized, and what comes again is known. */
const WARM_UP = 8
/** Long enough for what another process left in the CPU's caches not to count. */
const MILLISECONDS = 40

type Verifying = Subject<VerifyQuestion, Cost>

/** Verifying alone: one token again and again, 1,000 in turn, and 10,000 that come once. */
export function measureVerify(setup: BenchSetup): Promise<BenchResults['verify']> {
  return withContenders(setup, async (candidates) => ({
    repeated: await measured(setup, candidates, 'repeated'),
    'in turn': await measured(setup, candidates, 'in turn'),
    once: await measured(setup, candidates, 'once'),
  }))
}

/** Tokens that are refused, each seen once; beside them one good signature. */
export function measureBadTokens(setup: BenchSetup): Promise<BenchResults['badTokens']> {
  return withContenders(setup, async (candidates) => {
    const results: Record<string, Measured<VerifyFigure>[]> = {}
    for (const kind of BAD_KINDS) results[kind] = await measured(setup, candidates, kind)
    return results
  })
}

const BAD_KINDS = [
  'garbage',
  '8 KiB',
  'unknown kid',
  'wrong signature',
  'wrong audience',
  'expired',
] as const

type Running = readonly { readonly contender: NamedContender; readonly subject: Verifying }[]

async function withContenders<Result>(
  setup: BenchSetup,
  use: (running: Running) => Promise<Result>,
): Promise<Result> {
  const running = CONTENDERS.map((contender) => ({
    contender,
    subject: startSubject<VerifyQuestion, Cost>('verify-process', [
      contender.file,
      setup.tokenFile,
      keysUri(setup, contender),
    ]),
  }))
  try {
    return await use(running)
  } finally {
    await Promise.all(running.map(({ subject }) => subject.end()))
  }
}

function measured(
  { tell }: BenchSetup,
  running: Running,
  kind: Kind,
): Promise<Measured<VerifyFigure>[]> {
  tell(`verify, ${kind}`)
  return interleaved(
    running.map(({ contender, subject }) => candidate(contender, subject, kind)),
    ROUNDS,
    WARM_UP,
  )
}

function candidate(
  { name, isSignatureOnly }: NamedContender,
  subject: Verifying,
  kind: Kind,
): Candidate<VerifyFigure> {
  const isGood = KINDS[kind].outcome === 'accepted'
  const asked = isSignatureOnly && !isGood ? 'once' : kind
  return {
    name,
    measure: async () => {
      const { operations, wall, mainThread, process } = await subject.ask({
        kind: asked,
        milliseconds: MILLISECONDS,
      })
      return {
        perSecond: (operations / wall) * 1e6,
        mainThread: mainThread / operations,
        process: process / operations,
      }
    },
  }
}
