/** What is run, and what came of it: the parts of the matrix that decide something. */

/** One version of Node with one of Fastify. */
export interface Cell {
  readonly node: string
  readonly fastify: string
  /** Every test with its coverage, or those that have to do with Fastify. */
  readonly tests: 'all' | 'fastify'
}

/** What tap has counted. */
export interface Counts {
  readonly passed: number
  readonly failed: number
}

/** The oldest that package.json's `engines` takes, and the newest of every line that is tested. */
export const NODES = ['20.19.0', '22', '24', '26']

/** The oldest and the newest of Fastify 5, and the newest of 6, pre-releases included. */
export const FASTIFIES = ['5.0.0', '5', '^6.0.0-alpha.4']

/** With the newest Fastify 5 every test is run, with the others those that have to do with it. */
const PRIMARY_FASTIFY = '5'

/** What Fastify 6 says that it runs on (docs/Reference/LTS.md of its package). */
const OLDEST_NODE_OF_FASTIFY_6 = 24

const majorOf = (version: string): number => Number(/\d+/.exec(version)?.[0])

/**
 * The cells of the matrix: each version of Node with each of Fastify that runs on it.
 *
 * @param full - every test in every cell
 */
export function cellsOf(
  nodes: readonly string[],
  fastifies: readonly string[],
  full: boolean,
): Cell[] {
  const cells = nodes.flatMap((node) =>
    fastifies
      .filter((fastify) => majorOf(fastify) < 6 || majorOf(node) >= OLDEST_NODE_OF_FASTIFY_6)
      .map((fastify): Cell => {
        const tests = full || fastify === PRIMARY_FASTIFY ? 'all' : 'fastify'
        return { node, fastify, tests }
      }),
  )
  // A check that checks nothing must not look like one that found nothing.
  if (cells.length === 0) throw new Error('no version of Fastify runs on these versions of Node')
  return cells
}

/**
 * The counts with which tap's TAP ends: `# { total: 15, pass: 14, fail: 1 }`. A run that ends badly
 * without a failed test (before tap has counted, or for want of coverage) is a failure of its own.
 */
export function countsOf(tap: string, exitCode: number | null): Counts {
  const line = tap.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? ''
  const count = (name: string): number =>
    Number(new RegExp(` ${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  const failed = count('fail')
  const passed = count('pass')
  const endedWell = exitCode === 0 && passed > 0
  return { passed, failed: endedWell ? failed : Math.max(failed, 1) }
}

/** What failed: the files, and in each its tests; what they assert is in the log. */
export function failuresIn(tap: string): string[] {
  return [...tap.matchAll(/^(?: {4})?not ok \d+ - (.+?)(?: # time=.*)?$/gm)].map(
    ([, name = '']) => name,
  )
}
