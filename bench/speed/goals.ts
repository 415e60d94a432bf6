/** What this library has to reach, each against a floor or the best peer of the same run. */
import { DIGEST, LEAST_VERIFIER, OURS } from './contender.ts'
import { fastestPeer, ratio, roundsOf } from './figures.ts'
import type { BenchResults, Measurement, Measured, VerifyFigure } from './result.ts'
import { DIGEST_HOOK } from './server.ts'
import { median, medianRatio } from './statistics.ts'
import type { Kind } from './tokens.ts'

/** A bound, and how a run tells whether it was kept. */
export interface Goal {
  readonly what: string
  readonly bound: 'at least' | 'at most'
  readonly limit: number
  readonly unit: '×' | ' ms'
  readonly measurement: Measurement
  readonly reached: (results: BenchResults) => number
}

/** Every goal. */
export const GOALS: readonly Goal[] = [
  {
    what: `a known token over HTTP: user CPU, of ${DIGEST_HOOK}`,
    bound: 'at most',
    limit: 1.1,
    unit: '×',
    measurement: 'http known',
    reached: (results) => ratio(results['http known'], 'user', OURS, DIGEST_HOOK),
  },
  cpuGoal('repeated', 'a known token in a loop', DIGEST, 1.4),
  speedGoal('repeated', 'a known token', 2),
  speedGoal('in turn', '1,000 known tokens in turn', 2),
  {
    what: `a token seen once: tokens a second, of ${LEAST_VERIFIER}`,
    bound: 'at least',
    limit: 0.97,
    unit: '×',
    measurement: 'once',
    reached: ({ once }) => ratio(once, 'perSecond', OURS, LEAST_VERIFIER),
  },
  speedGoal('once', 'a token seen once', 1),
  ...(['wrong signature', 'wrong audience', 'expired'] as const).map((kind) =>
    cpuGoal(kind, `refused, ${kind}`, LEAST_VERIFIER, 1.1),
  ),
  cpuGoal('unknown kid', 'refused, unknown kid', LEAST_VERIFIER, 1.3),
  {
    what: 'import after Fastify, of importing Fastify',
    bound: 'at most',
    limit: 0.25,
    unit: '×',
    measurement: 'import',
    reached: ({ import: [imports] }) =>
      medianRatio(imports?.rounds.plugin ?? [], imports?.rounds.fastify ?? []),
  },
  {
    what: 'start-up checks and `listAllowedCallers()` of 5,000 routes',
    bound: 'at most',
    limit: 500,
    unit: ' ms',
    measurement: 'routes',
    reached: ({ routes }) => median(roundsOf(routes, '5000', 'milliseconds')),
  },
]

/** The goals that a run did not reach. */
export function missedGoals(results: BenchResults): Goal[] {
  return GOALS.filter(({ bound, limit, reached }) => {
    const figure = reached(results)
    return !(bound === 'at least' ? figure >= limit : figure <= limit)
  })
}

function cpuGoal(kind: Kind, what: string, floor: string, limit: number): Goal {
  return {
    what: `${what}: CPU, of ${floor}`,
    bound: 'at most',
    limit,
    unit: '×',
    measurement: kind,
    reached: (results) => ratio(verified(results, kind), 'mainThread', OURS, floor),
  }
}

function speedGoal(kind: Kind, what: string, limit: number): Goal {
  return {
    what: `${what}: tokens a second, of the fastest peer`,
    bound: 'at least',
    limit,
    unit: '×',
    measurement: kind,
    reached: (results) => {
      const measured = verified(results, kind)
      return ratio(measured, 'perSecond', OURS, fastestPeer(measured))
    },
  }
}

function verified(results: BenchResults, kind: Kind): readonly Measured<VerifyFigure>[] {
  return results[kind]
}
