import { pooled } from '../figures.ts'
import { rounded } from '../statistics.ts'
import type { Measured } from '../result.ts'

/** One that is measured: its name, and how to measure it once. */
export interface Candidate<Figure extends string> {
  readonly name: string
  readonly measure: () => Promise<Readonly<Record<Figure, number>>>
}

/**
 * Measures each once a round, so that what slows the machine down for a while slows all down. Every
 * other round is in the opposite order, because what is measured first may be slower for that alone.
 *
 * @param warmUp - how many rounds go before that do not count
 */
export async function interleaved<Figure extends string>(
  candidates: readonly Candidate<Figure>[],
  rounds: number,
  warmUp = 1,
): Promise<Measured<Figure>[]> {
  const measured = candidates.map(({ name, measure }) => ({
    name,
    measure,
    rounds: {} as Partial<Record<Figure, number[]>>,
  }))
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { measure, rounds } of round % 2 === 0 ? measured : measured.toReversed()) {
      const figures = await measure()
      if (round >= 0) add(rounds, figures)
    }
  }
  return measured.map(({ name, rounds }) => ({ name, rounds: rounds as Record<Figure, number[]> }))
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
