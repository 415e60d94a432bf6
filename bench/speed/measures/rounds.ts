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
 * @param warmUp - how many turns of each run first, and do not count
 */
export async function interleaved<Figure extends string>(
  candidates: readonly Candidate<Figure>[],
  rounds: number,
  warmUp = 1,
): Promise<Measured<Figure>[]> {
  const measured = candidates.map((candidate) => ({
    ...candidate,
    taken: [] as Readonly<Record<Figure, number>>[],
    rounds: {} as Partial<Record<Figure, number[]>>,
  }))
  for (let turn = -warmUp; turn < 0; turn += 1) {
    for (const { measure } of inOrder(measured, turn)) await measure()
  }
  const most = Math.max(...candidates.map(({ turns = 1 }) => turns))
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < most; turn += 1) {
      for (const { measure, turns = 1, taken } of inOrder(measured, round + turn)) {
        if (turn < turns) taken.push(await measure())
      }
    }
    for (const { taken, rounds } of measured) add(rounds, taken.splice(0))
  }
  return measured.map(({ name, rounds }) => ({ name, rounds: rounds as Record<Figure, number[]> }))
}

function inOrder<One>(all: readonly One[], turn: number): readonly One[] {
  return turn % 2 === 0 ? all : all.toReversed()
}

/** Adds a round: the means of its turns. */
function add<Figure extends string>(
  rounds: Partial<Record<Figure, number[]>>,
  turns: readonly Readonly<Record<Figure, number>>[],
): void {
  for (const figure of Object.keys(turns[0] ?? {}) as Figure[]) {
    ;(rounds[figure] ??= []).push(rounded(mean(turns.map((figures) => figures[figure]))))
  }
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
