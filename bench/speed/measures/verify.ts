import { CONTENDERS, OURS, type NamedContender } from '../contender.ts'
import type { Cost } from '../cost.ts'
import type { VerifyQuestion } from '../processes/verify-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { hasPeerGoal } from '../goals.ts'
import type { Measured, VerifyFigure } from '../result.ts'
import { KINDS, type Kind } from '../tokens.ts'
import { inStarts, interleaved, type Candidate } from './rounds.ts'
import { keysUri, type Setup } from './setup.ts'

/**
 * Turns before those that count, until V8 has optimized the code and the caches know the repeated
 * tokens.
 */
const WARM_UP = 6

/** How much is measured. */
interface Extent {
  /** Long enough for what another process left in the CPU's caches not to count. */
  readonly milliseconds: number
  readonly starts: number
  /** For each start. */
  readonly rounds: number
  /** In a round, of this library and of floors; of a peer it is one. */
  readonly turns: number
}

/**
 * For tokens that are not remembered, goals are a matter of hundredths, and one turn, or one process,
 * differs from the next by more.
 */
const EXTENTS = {
  remembered: {
    quick: { milliseconds: 25, starts: 1, rounds: 11, turns: 1 },
    full: { milliseconds: 40, starts: 3, rounds: 10, turns: 1 },
  },
  notRemembered: {
    quick: { milliseconds: 25, starts: 3, rounds: 4, turns: 6 },
    full: { milliseconds: 40, starts: 3, rounds: 10, turns: 6 },
  },
}

type Verifying = Subject<VerifyQuestion, Cost>

/**
 * Verifies tokens of a kind, or has them refused, with every contender. A quick run leaves peers out
 * where no goal is about them.
 */
export async function measureVerify(
  setup: Setup,
  kind: Kind,
): Promise<readonly Measured<VerifyFigure>[]> {
  const extents = EXTENTS[KINDS[kind].comesAgain ? 'remembered' : 'notRemembered']
  const extent = extents[setup.isQuick ? 'quick' : 'full']
  return inStarts(extent.starts, () => measureStart(setup, kind, extent))
}

async function measureStart(
  setup: Setup,
  kind: Kind,
  { milliseconds, rounds, turns }: Extent,
): Promise<readonly Measured<VerifyFigure>[]> {
  const withPeers = !setup.isQuick || hasPeerGoal(kind)
  const running = CONTENDERS.filter(
    (contender) =>
      (!contender.isDigestOnly || KINDS[kind].comesAgain) &&
      (withPeers || isOursOrFloor(contender)),
  ).map((contender) => ({ contender, subject: start(setup, contender) }))
  try {
    const candidates = running.map(({ contender, subject }) => ({
      ...candidate(contender, subject, { kind, milliseconds }),
      turns: isOursOrFloor(contender) ? turns : 1,
    }))
    return await interleaved(candidates, rounds, WARM_UP)
  } finally {
    await Promise.all(running.map(({ subject }) => subject.end()))
  }
}

function isOursOrFloor({ name, isFloor }: NamedContender): boolean {
  return name === OURS || isFloor === true
}

function start(setup: Setup, contender: NamedContender): Verifying {
  return startSubject('verify-process', [
    contender.file,
    setup.tokenFile,
    keysUri(setup, contender),
  ])
}

function candidate(
  { name }: NamedContender,
  subject: Verifying,
  question: VerifyQuestion,
): Candidate<VerifyFigure> {
  return {
    name,
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
