/** What the rounds come to. */
import { CONTENDERS, OURS } from './contender.ts'
import type { Measured } from './result.ts'
import { median, medianRatio } from './statistics.ts'

/** The rounds of one that was measured. */
export function roundsOf<Figure extends string>(
  measured: readonly Measured<Figure>[],
  name: string,
  figure: Figure,
): readonly number[] {
  const found = measured.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${name} was not measured`)
  return found.rounds[figure]
}

/** How two that were measured in the same rounds stand to each other. */
export function ratio<Figure extends string>(
  measured: readonly Measured<Figure>[],
  figure: Figure,
  over: string,
  under: string,
): number {
  return medianRatio(roundsOf(measured, over, figure), roundsOf(measured, under, figure))
}

/** The peer whose process needs least CPU for a token. */
export function cheapestPeer(measured: readonly Measured<'process'>[]): string {
  const peers = CONTENDERS.filter(({ name, isFloor }) => name !== OURS && !isFloor)
  const cost = ({ name }: { name: string }): number => median(roundsOf(measured, name, 'process'))
  return peers.reduce((best, peer) => (cost(peer) < cost(best) ? peer : best)).name
}

/** The rounds of two runs of one measurement, as one. */
export function pooled<Figure extends string>(
  first: readonly Measured<Figure>[],
  second: readonly Measured<Figure>[],
): readonly Measured<Figure>[] {
  return first.map(({ name, rounds }) => ({
    name,
    rounds: Object.fromEntries(
      (Object.keys(rounds) as Figure[]).map((figure) => [
        figure,
        [...rounds[figure], ...roundsOf(second, name, figure)],
      ]),
    ) as Record<Figure, number[]>,
  }))
}
