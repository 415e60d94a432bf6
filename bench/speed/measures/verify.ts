import { CONTENDERS, OURS, type NamedContender } from '../contender.ts'
import type { Cost } from '../cost.ts'
import type { VerifyQuestion } from '../processes/verify-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { hasPeerGoal } from '../goals.ts'
import type { Measured, VerifyFigure } from '../result.ts'
import { KINDS, type Kind } from '../tokens.ts'
import { inStarts, interleaved, type Candidate } from './rounds.ts'
import { keysUri, type Setup } from './setup.ts'

/** Until the code is optimized, and what comes again is known. */
const WARM_UP = 6
/** Long enough for what another process left in the CPU's caches not to count. */
const MILLISECONDS = { quick: 25, full: 40 }
const STARTS = { quick: 1, full: 3 }
/** For each start. */
const ROUNDS = { quick: 11, full: 10 }
/**
 * In each round, of this library and the floors: for tokens that are not remembered, their goals are a
 * matter of hundredths, and one turn differs from the next by tens of them.
 */
const TURNS = { remembered: 1, notRemembered: 6 }

type Verifying = Subject<VerifyQuestion, Cost>

/**
 * Verifies tokens of a kind, or has them refused, with every contender. A quick run leaves peers out
 * where no goal is about them.
 */
export async function measureVerify(
  setup: Setup,
  kind: Kind,
): Promise<readonly Measured<VerifyFigure>[]> {
  const extent = setup.isQuick ? 'quick' : 'full'
  return inStarts(STARTS[extent], () => measureStart(setup, kind, extent))
}

async function measureStart(
  setup: Setup,
  kind: Kind,
  extent: 'quick' | 'full',
): Promise<readonly Measured<VerifyFigure>[]> {
  const { comesAgain } = KINDS[kind]
  const withPeers = extent === 'full' || hasPeerGoal(kind)
  const running = CONTENDERS.filter(
    (contender) =>
      (!contender.isDigestOnly || comesAgain) && (withPeers || isOursOrFloor(contender)),
  ).map((contender) => ({ contender, subject: start(setup, contender) }))
  try {
    const milliseconds = MILLISECONDS[extent]
    const candidates = running.map(({ contender, subject }) =>
      candidate(contender, subject, { kind, milliseconds }),
    )
    return await interleaved(candidates, ROUNDS[extent], WARM_UP)
  } finally {
    await Promise.all(running.map(({ subject }) => subject.end()))
  }
}

function isOursOrFloor({ name, isFloor }: NamedContender): boolean {
  return name === OURS || isFloor === true
}

function turnsOf(kind: Kind): number {
  return KINDS[kind].comesAgain ? TURNS.remembered : TURNS.notRemembered
}

function start(setup: Setup, contender: NamedContender): Verifying {
  return startSubject('verify-process', [
    contender.file,
    setup.tokenFile,
    keysUri(setup, contender),
  ])
}

function candidate(
  contender: NamedContender,
  subject: Verifying,
  question: VerifyQuestion,
): Candidate<VerifyFigure> {
  return {
    name: contender.name,
    turns: isOursOrFloor(contender) ? turnsOf(question.kind) : 1,
    measure: async () => {
      const cost = await subject.ask(question)
      const { operations, wall, mainThread, process } = cost
      return {
        perSecond: (operations / wall) * 1e6,
        mainThread: mainThread / operations,
        process: process / operations,
      }
    },
  }
}
