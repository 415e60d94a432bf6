import { pooled } from '../figures.ts'
import { mean, rounded } from '../statistics.ts'
import type { Measured } from '../result.ts'

/** One that is measured: its name, and how to measure it once. */
export interface Candidate<Figure extends string> {
  readonly name: string
  readonly measure: () => Promise<Readonly<Record<Figure, number>>>
  /** How often it is measured in a round, which counts as the mean (default 1). */
  readonly turns?: number
}

/**
 * Measures all in turn, so that what slows the machine down for a while slows all down. Every other turn
 * is in the opposite order, because what is measured first may be slower for that alone.
 *
 * @param warmUp - how many turns of each go before that do not count
 */
export async function interleaved<Figure extends string>(
  candidates: readonly Candidate<Figure>[],
  rounds: number,
  warmUp = 1,
): Promise<Measured<Figure>[]> {
  const measured = candidates.map((candidate) => ({
    candidate,
    rounds: {} as Partial<Record<Figure, number[]>>,
  }))
  for (let turn = -warmUp; turn < 0; turn += 1) await takeTurns(candidates, turn)
  for (let round = 0; round < rounds; round += 1) {
    const figures = await measureRound(candidates, round)
    for (const { candidate, rounds } of measured) add(rounds, meansOf(figures.get(candidate) ?? []))
  }
  return measured.map(({ candidate: { name }, rounds }) => ({
    name,
    rounds: rounds as Record<Figure, number[]>,
  }))
}

type Turns<Figure extends string> = Map<
  Candidate<Figure>,
  readonly Readonly<Record<Figure, number>>[]
>

async function measureRound<Figure extends string>(
  candidates: readonly Candidate<Figure>[],
  round: number,
): Promise<Turns<Figure>> {
  const most = Math.max(...candidates.map(({ turns = 1 }) => turns))
  const taken: Turns<Figure> = new Map()
  for (let turn = 0; turn < most; turn += 1) {
    const some = candidates.filter(({ turns = 1 }) => turn < turns)
    for (const [candidate, figures] of await takeTurns(some, round + turn)) {
      taken.set(candidate, [...(taken.get(candidate) ?? []), figures])
    }
  }
  return taken
}

async function takeTurns<Figure extends string>(
  candidates: readonly Candidate<Figure>[],
  turn: number,
): Promise<Map<Candidate<Figure>, Readonly<Record<Figure, number>>>> {
  const figures = new Map<Candidate<Figure>, Readonly<Record<Figure, number>>>()
  for (const candidate of turn % 2 === 0 ? candidates : candidates.toReversed()) {
    figures.set(candidate, await candidate.measure())
  }
  return figures
}

function meansOf<Figure extends string>(
  turns: readonly Readonly<Record<Figure, number>>[],
): Readonly<Record<Figure, number>> {
  const names = Object.keys(turns[0] ?? {}) as Figure[]
  return Object.fromEntries(
    names.map((name) => [name, mean(turns.map((figures) => figures[name]))]),
  ) as Record<Figure, number>
}

/**
 * Measures in several starts of the processes, and takes the rounds of all. V8 decides in each process
 * by itself what it compiles and where objects lie: two processes of one and the same server differ by
 * up to a fifth.
 *
 * @param measure - gets the number of the start, from 0
 */
export async function inStarts<Figure extends string>(
  starts: number,
  measure: (start: number) => Promise<readonly Measured<Figure>[]>,
): Promise<readonly Measured<Figure>[]> {
  let measured = await measure(0)
  for (let start = 1; start < starts; start += 1) measured = pooled(measured, await measure(start))
  return measured
}

function add<Figure extends string>(
  rounds: Partial<Record<Figure, number[]>>,
  figures: Readonly<Record<Figure, number>>,
): void {
  for (const [figure, value] of Object.entries(figures) as [Figure, number][]) {
    ;(rounds[figure] ??= []).push(rounded(value))
  }
}
