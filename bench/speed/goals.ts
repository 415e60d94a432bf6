/**
 * What this library has to reach, each against a floor or the best peer of the same run.
 *
 * Every goal is of CPU time: other work on the machine makes everything slower by the clock, and
 * hardly changes its CPU time.
 */
import { DIGEST, LEAST_VERIFIER, OURS } from './contender.ts'
import { cheapestPeer, ratio, roundsOf } from './figures.ts'
import type { BenchResults, Measurement } from './result.ts'
import { DIGEST_HOOK, WITH_AUDIT_LOG } from './server.ts'
import { median, medianRatio } from './statistics.ts'
import type { Kind } from './tokens.ts'

/** A bound, and how a run tells whether it was kept. */
export interface Goal {
  readonly what: string
  readonly bound: 'at least' | 'at most'
  readonly limit: number
  readonly unit: '×' | ' ms'
  readonly measurement: Measurement
  /** It compares with the cheapest peer. */
  readonly isAboutPeers?: true
  readonly reached: (results: BenchResults) => number
}

/** Every goal. */
export const GOALS: readonly Goal[] = [
  {
    what: `a known token over HTTP: user CPU, relative to ${DIGEST_HOOK}`,
    bound: 'at most',
    limit: 1.1,
    unit: '×',
    measurement: 'http known',
    reached: (results) => ratio(results['http known'], 'user', OURS, DIGEST_HOOK),
  },
  {
    what: 'a known token over HTTP with the audit log on: CPU, relative to the same without it',
    bound: 'at most',
    limit: 1.05,
    unit: '×',
    measurement: 'http audit log',
    reached: (results) => ratio(results['http audit log'], 'total', WITH_AUDIT_LOG.name, OURS),
  },
  cpuGoal('repeated', 'a known token in a loop', DIGEST, 1.4),
  peerGoal('repeated', 'a known token', 2),
  peerGoal('in turn', '1,000 known tokens in turn', 2),
  {
    what: `a token seen once: tokens for the same CPU, relative to ${LEAST_VERIFIER}`,
    bound: 'at least',
    limit: 0.97,
    unit: '×',
    measurement: 'once',
    reached: ({ once }) => ratio(once, 'mainThread', LEAST_VERIFIER, OURS),
  },
  peerGoal('once', 'a token seen once', 1),
  ...(['wrong signature', 'wrong audience', 'expired'] as const).map((kind) =>
    cpuGoal(kind, `refused, ${kind}`, LEAST_VERIFIER, 1.1),
  ),
  cpuGoal('unknown kid', 'refused, unknown kid', LEAST_VERIFIER, 1.3),
  {
    what: 'import after Fastify, relative to importing Fastify',
    bound: 'at most',
    limit: 0.25,
    unit: '×',
    measurement: 'import',
    reached: ({ import: [imports] }) =>
      medianRatio(imports?.rounds.plugin ?? [], imports?.rounds.fastify ?? []),
  },
  {
    what: 'start-up checks and `listAllowedCallers()` of 5,000 routes: CPU, beyond bare Fastify',
    bound: 'at most',
    limit: 500,
    unit: ' ms',
    measurement: 'routes',
    reached: ({ routes }) => median(roundsOf(routes, '5000', 'milliseconds')),
  },
]

/** Whether something of this measurement has to be reached. */
export function hasGoal(name: Measurement): boolean {
  return GOALS.some(({ measurement }) => measurement === name)
}

/** Whether a goal compares this measurement of peers. */
export function hasPeerGoal(name: Measurement): boolean {
  return GOALS.some(({ measurement, isAboutPeers }) => isAboutPeers && measurement === name)
}

/** The goals that a run did not reach. */
export function missedGoals(results: BenchResults): Goal[] {
  return GOALS.filter(({ bound, limit, reached }) => {
    const figure = reached(results)
    return !(bound === 'at least' ? figure >= limit : figure <= limit)
  })
}

function cpuGoal(kind: Kind, what: string, floor: string, limit: number): Goal {
  return {
    what: `${what}: CPU, relative to ${floor}`,
    bound: 'at most',
    limit,
    unit: '×',
    measurement: kind,
    reached: (results) => ratio(results[kind], 'mainThread', OURS, floor),
  }
}

/** CPU of the process, for some peers use Node's thread pool. */
function peerGoal(kind: Kind, what: string, limit: number): Goal {
  return {
    what: `${what}: tokens for the same CPU, relative to the cheapest peer`,
    bound: 'at least',
    limit,
    unit: '×',
    measurement: kind,
    isAboutPeers: true,
    reached: ({ [kind]: measured }) => ratio(measured, 'process', cheapestPeer(measured), OURS),
  }
}
