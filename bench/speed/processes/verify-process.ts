/** Verifies tokens with one contender, and tells what it cost. Arguments: the contender's file, the tokens', the keys' URI. */
import { setTimeout } from 'node:timers/promises'
import { CostMeter, type Cost } from '../cost.ts'
import type { Contender, Verifier } from '../contender.ts'
import { freshCopies, KINDS, readTokens, type Kind } from '../tokens.ts'
import { answerQuestions } from './subject.ts'

/** The next tokens of a kind, for so long. */
export interface VerifyQuestion {
  readonly kind: Kind
  readonly milliseconds: number
}

const [file = '', tokenFile = '', jwksUri = ''] = process.argv.slice(2)
const tokens = await readTokens(tokenFile)
const { contender } = (await import(`../contenders/${file}.js`)) as { contender: Contender }

const BATCH = 500
/** For those that take longest, so that a turn ends in time. */
const SLOW_BATCH = 50
const SLOW_MICROS = 100
/** As many as a busy server has under way, so that a thread pool is used. */
const AT_ONCE = 50

interface Progress {
  readonly verifier: Verifier
  /** How many tokens it was given. */
  readonly given: number
}

let batchSize = SLOW_BATCH
const progressOf = new Map<Kind, Progress>()

answerQuestions(async ({ kind, milliseconds }: VerifyQuestion): Promise<Cost> => {
  const meter = new CostMeter()
  const { outcome } = KINDS[kind]
  do {
    const { verifier, given } = await progress(kind)
    const batch = batchAt(tokens[kind], given)
    await run(verifier, batch, outcome, meter)
    progressOf.set(kind, { verifier, given: given + batch.length })
    const { wall, operations } = meter.total
    batchSize = wall / operations > SLOW_MICROS ? SLOW_BATCH : BATCH
  } while (meter.total.wall < milliseconds * 1000)
  return meter.total
})

/** Tokens that are to be seen once come again to a new verifier only. */
async function progress(kind: Kind): Promise<Progress> {
  const last = progressOf.get(kind)
  const isOver = last !== undefined && !KINDS[kind].comesAgain && last.given >= tokens[kind].length
  return last === undefined || isOver ? { verifier: await warmVerifier(kind), given: 0 } : last
}

/** The number of unknown keys after which a verifier may no longer fetch at once. */
const FIRST_FEW = 10
/** Milliseconds in which keys are fetched from the loopback. */
const FETCHED = 10

/**
 * Its keys are current, and the first few unknown kids have had their fetches: what is fetched is not
 * what is measured.
 */
async function warmVerifier(kind: Kind): Promise<Verifier> {
  const verifier = await contender.create(jwksUri)
  await verifier.verify(freshCopies(tokens.repeated).join(''))
  if (kind !== 'unknown kid') return verifier
  for (const token of tokens[kind].slice(0, FIRST_FEW)) {
    try {
      await verifier.verify(token)
    } catch {
      // Refused, as it is to be.
    }
    await setTimeout(FETCHED)
  }
  return verifier
}

function batchAt(all: readonly string[], at: number): string[] {
  return Array.from({ length: batchSize }, (_, i) => all[(at + i) % all.length] ?? '')
}

async function run(
  verifier: Verifier,
  some: readonly string[],
  expected: 'accepted' | 'refused',
  meter: CostMeter,
): Promise<void> {
  const batch = freshCopies(some)
  const outcomes = { accepted: 0, refused: 0 }
  await meter.measure(() => verifyAll(verifier, batch, outcomes))
  if (outcomes[expected] !== some.length) {
    throw new Error(`${some.length - outcomes[expected]} tokens were not ${expected}`)
  }
}

type Outcomes = Record<'accepted' | 'refused', number>

/** Synchronous for as long as the verifier is. */
function verifyAll(
  verifier: Verifier,
  batch: readonly string[],
  outcomes: Outcomes,
): number | Promise<number> {
  for (let i = 0; i < batch.length; i += 1) {
    try {
      const outcome = verifier.verify(batch[i] ?? '')
      if (outcome instanceof Promise) return verifyRest(verifier, batch, i, outcome, outcomes)
      outcomes.accepted += 1
    } catch {
      outcomes.refused += 1
    }
  }
  return batch.length
}

async function verifyRest(
  verifier: Verifier,
  batch: readonly string[],
  from: number,
  first: Promise<unknown>,
  outcomes: Outcomes,
): Promise<number> {
  await count(first, outcomes)
  for (let at = from + 1; at < batch.length; at += AT_ONCE) {
    const some = batch.slice(at, at + AT_ONCE)
    await Promise.all(some.map((input) => count(verifier.verify(input), outcomes)))
  }
  return batch.length
}

async function count(outcome: unknown, outcomes: Outcomes): Promise<void> {
  try {
    await outcome
    outcomes.accepted += 1
  } catch {
    outcomes.refused += 1
  }
}
