import { CONTENDERS, type NamedContender } from '../contender.ts'
import type { Cost } from '../cost.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import type { VerifyQuestion } from '../processes/verify-process.ts'
import type { BenchResults, Measured, VerifyFigure } from '../result.ts'
import { keysUri, type BenchSetup } from './bench-setup.ts'
import { interleaved, type Candidate } from './rounds.ts'

const ROUNDS = 7
/** Of a token that comes again, so that thousands of hits are measured in a round. */
const MILLISECONDS = 300

type Verifying = Subject<VerifyQuestion, Cost>

/** Verifying alone: one token again and again, 1,000 in turn, and 10,000 that come once. */
export function measureVerify(setup: BenchSetup): Promise<BenchResults['verify']> {
  return withContenders(setup, async (candidates) => ({
    repeated: await measured(setup, candidates, { kind: 'repeated', milliseconds: MILLISECONDS }),
    'in turn': await measured(setup, candidates, { kind: 'in turn', milliseconds: MILLISECONDS }),
    once: await measured(setup, candidates, { kind: 'once' }),
  }))
}

/** Tokens that are refused, each seen once; beside them one good signature. */
export function measureBadTokens(setup: BenchSetup): Promise<BenchResults['badTokens']> {
  return withContenders(setup, async (candidates) => {
    const results: Record<string, Measured<VerifyFigure>[]> = {}
    for (const kind of BAD_KINDS) results[kind] = await measured(setup, candidates, { kind })
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
  question: VerifyQuestion,
): Promise<Measured<VerifyFigure>[]> {
  tell(`verify, ${question.kind}`)
  return interleaved(
    running.map(({ contender, subject }) => candidate(contender, subject, question)),
    ROUNDS,
  )
}

function candidate(
  { name, isLimit }: NamedContender,
  subject: Verifying,
  question: VerifyQuestion,
): Candidate<VerifyFigure> {
  // What judges nothing but signatures refuses no bad claim: it stays with good tokens.
  const asked = isLimit
    ? { ...question, kind: question.milliseconds ? question.kind : 'once' }
    : question
  return {
    name,
    measure: async () => {
      const { operations, wall, mainThread, process } = await subject.ask(asked)
      return {
        perSecond: (operations / wall) * 1e6,
        mainThread: mainThread / operations,
        process: process / operations,
      }
    },
  }
}
