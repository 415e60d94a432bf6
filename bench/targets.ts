/** What this library has to reach, as ratios within one run, and whether it does. */
import { fastestPeer, OURS, ratio } from './figures.ts'
import type { BenchResults } from './result.ts'
import { OF_BARE } from './sections/http.ts'

/** A bound, and how a run tells where it was kept. */
export interface Target {
  readonly what: string
  readonly bound: 'at least' | 'at most'
  readonly limit: number
  readonly unit: '×' | 'bytes'
  readonly reached: (results: BenchResults) => number
  /** The same figure of one that does only what nobody can leave out. */
  readonly floor?: (results: BenchResults) => number
}

const RAW = 'crypto.verify alone'
const LEAST_VERIFIER = 'the least verifier, in one function'
const BARE = 'bare Fastify'
const LEAST_GUARD = 'the least guard, in one function'
const PACKAGES = 'jose + fastify-plugin + lru-cache'

/** Flat but for what CPU caches make of more memory, and for noise. */
const FLAT = 1.1

/** Every target. */
export const TARGETS: readonly Target[] = [
  target(
    'a repeated token: tokens a second, of the fastest peer, its cache on',
    'at least',
    2,
    (r) => overFastestPeer(r, 'repeated'),
  ),
  target('a token seen once: tokens a second, of the fastest peer', 'at least', 1, (r) =>
    overFastestPeer(r, 'once'),
  ),
  {
    ...target(
      'a token seen once: tokens a second, of `crypto.verify` alone',
      'at least',
      0.85,
      (r) => ratio(r.verify.once, 'perSecond', OURS, RAW),
    ),
    floor: (r) => ratio(r.verify.once, 'perSecond', LEAST_VERIFIER, RAW),
  },
  overHttp('one', 'one token'),
  overHttp('thousand', '1,000 tokens'),
  ...['wrong signature', 'wrong audience', 'expired'].map((kind) => refused(kind, 1.2)),
  ...['garbage', '8 KiB', 'unknown kid'].map((kind) => refused(kind, 0.25)),
  { ...growth('tokens'), floor: (r) => most(r, `tokens${OF_BARE}`) },
  growth('callers'),
  { ...growth('routes'), floor: (r) => most(r, `routes${OF_BARE}`) },
  target('heap of a cached token', 'at most', 2048, perToken, 'bytes'),
  target(
    'heap after 1,000,000 distinct tokens, of that after half of them',
    'at most',
    1.05,
    heapGrowth,
  ),
  target(`import, of ${PACKAGES}`, 'at most', 1.2, (r) =>
    ratio(r.start.imports, 'milliseconds', 'fastify-google-id-token', PACKAGES),
  ),
]

/** The targets that a run did not reach. */
export function missedTargets(results: BenchResults): Target[] {
  return TARGETS.filter(({ bound, limit, reached }) => {
    const figure = reached(results)
    return !(bound === 'at least' ? figure >= limit : figure <= limit)
  })
}

function target(
  what: string,
  bound: Target['bound'],
  limit: number,
  reached: Target['reached'],
  unit: Target['unit'] = '×',
): Target {
  return { what, bound, limit, unit, reached }
}

function overFastestPeer({ verify }: BenchResults, kind: keyof BenchResults['verify']): number {
  const measured = verify[kind]
  return ratio(measured, 'perSecond', OURS, fastestPeer(measured))
}

function refused(kind: string, limit: number): Target {
  return {
    ...target(
      `refused, ${kind}: main-thread CPU, of \`crypto.verify\` alone`,
      'at most',
      limit,
      (results) => mainThread(results, kind, OURS),
    ),
    floor: (results) => mainThread(results, kind, LEAST_VERIFIER),
  }
}

function mainThread({ badTokens }: BenchResults, kind: string, name: string): number {
  return ratio(badTokens[kind] ?? [], 'mainThread', name, RAW)
}

function overHttp(kind: keyof BenchResults['http'], what: string): Target {
  return {
    ...target(`over HTTP, ${what}: server CPU a request, of bare Fastify`, 'at most', 1.12, (r) =>
      ratio(r.http[kind], 'cpu', OURS, BARE),
    ),
    floor: ({ http }) => ratio(http[kind], 'cpu', LEAST_GUARD, BARE),
  }
}

function growth(what: string): Target {
  return target(
    `more ${what}: server CPU a request, of that with one`,
    'at most',
    FLAT,
    (results) => most(results, what),
  )
}

/** The most that any count costs, of what one costs. */
function most({ growth }: BenchResults, what: string): number {
  const measured = growth[what] ?? []
  return Math.max(...measured.map(({ name }) => ratio(measured, 'cpu', name, '1')))
}

function perToken({ memory }: BenchResults): number {
  return memory.perToken.find(({ name }) => name === OURS)?.bytes ?? NaN
}

function heapGrowth({ memory: { heap } }: BenchResults): number {
  const halfway = heap.find(({ tokens }) => 2 * tokens === heap.at(-1)?.tokens)
  return (heap.at(-1)?.bytes ?? NaN) / (halfway?.bytes ?? NaN)
}
