/**
 * What this library has to reach, each against a floor or the best peer of the same run.
 *
 * Every goal is of CPU time: what else a machine does makes all slower by the clock, and hardly any
 * dearer.
 */
import { DIGEST, LEAST_VERIFIER, OURS } from './contender.ts'
import { cheapestPeer, ratio, roundsOf } from './figures.ts'
import type { BenchResults, Measurement } from './result.ts'
import { DIGEST_HOOK, WITH_AUDIT_LOG } from './server.ts'
import { median, medianRatio } from './statistics.ts'
import type { Kind } from './tokens.ts'

/**
 * Known over HTTP. In a loop a guard costs 0.9 µs more than the digest; in a server, where other code
 * runs between two requests, its code and data come from memory again, and it costs 2 µs more and
 * above. Of 36 starts, the medians of 27 were 1.13 and of 9 were 1.19; single starts went from 0.93
 * to 1.61.
 */
const HTTP_LIMIT = 1.25

/**
 * Two goals against the least verifier, which accepts any spelling and any shape. Strict base64url of
 * three segments and the types of nine claims cost 0.7 µs: of 19 with a signature, and of 4 without.
 * For an unknown key, 0.3 µs more go into the decision whether to fetch keys.
 */
const ONCE_LIMIT = 0.9
const UNKNOWN_KEY_LIMIT = 1.45

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
    limit: HTTP_LIMIT,
    unit: '×',
    measurement: 'http known',
    reached: (results) => ratio(results['http known'], 'user', OURS, DIGEST_HOOK),
  },
  {
    what: 'a known token over HTTP with the audit log on: user CPU, of the same without it',
    bound: 'at most',
    limit: 1.05,
    unit: '×',
    measurement: 'http known',
    reached: (results) => ratio(results['http known'], 'user', WITH_AUDIT_LOG.name, OURS),
  },
  cpuGoal('repeated', 'a known token in a loop', DIGEST, 1.4),
  peerGoal('repeated', 'a known token', 2),
  peerGoal('in turn', '1,000 known tokens in turn', 2),
  {
    what: `a token seen once: tokens for the same CPU, of ${LEAST_VERIFIER}`,
    bound: 'at least',
    limit: ONCE_LIMIT,
    unit: '×',
    measurement: 'once',
    reached: ({ once }) => ratio(once, 'mainThread', LEAST_VERIFIER, OURS),
  },
  peerGoal('once', 'a token seen once', 1),
  ...(['wrong signature', 'wrong audience', 'expired'] as const).map((kind) =>
    cpuGoal(kind, `refused, ${kind}`, LEAST_VERIFIER, 1.1),
  ),
  cpuGoal('unknown kid', 'refused, unknown kid', LEAST_VERIFIER, UNKNOWN_KEY_LIMIT),
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

/** By how much the medians of two runs of one and the same code differ. */
const NOISE = { quick: 0.1, full: 0.03 }
/** The same for milliseconds, which also depend on how fast the machine is at that time. */
const NOISE_OF_TIMES = 0.3

/** `within noise`: on the wrong side of the bound, by no more than two runs differ. */
export type GoalResult = 'reached' | 'within noise' | 'missed'

/** Whether a run reached a goal. */
export function resultOf({ bound, limit, unit, reached }: Goal, results: BenchResults): GoalResult {
  const figure = reached(results)
  const beyond = bound === 'at least' ? limit / figure - 1 : figure / limit - 1
  if (beyond <= 0) return 'reached'
  const noise = unit === ' ms' ? NOISE_OF_TIMES : NOISE[results.isQuick ? 'quick' : 'full']
  return beyond <= noise ? 'within noise' : 'missed'
}

/** The goals that a run missed. */
export function missedGoals(results: BenchResults): Goal[] {
  return GOALS.filter((goal) => resultOf(goal, results) === 'missed')
}

function cpuGoal(kind: Kind, what: string, floor: string, limit: number): Goal {
  return {
    what: `${what}: CPU, of ${floor}`,
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
    what: `${what}: tokens for the same CPU, of the cheapest peer`,
    bound: 'at least',
    limit,
    unit: '×',
    measurement: kind,
    reached: ({ [kind]: measured }) => ratio(measured, 'process', cheapestPeer(measured), OURS),
  }
}
