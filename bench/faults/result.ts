/**
 * What becomes of requests with a valid token while the endpoint is faulty and the keys have
 * expired. `yes`: all pass. `no`: one is refused. `hangs`: one has no answer after ten seconds.
 * `n/a`: the contender takes its keys in a form that cannot have the fault.
 */
export type Survival = 'yes' | 'no' | 'hangs' | 'n/a'

/** What became of one fault. */
export interface FaultOutcome {
  readonly fault: string
  readonly survival: Survival
}

/** What was measured of one contender. */
export interface ContenderResult {
  readonly name: string
  readonly versions: readonly string[]
  readonly setup: string
  readonly faults: readonly FaultOutcome[]
  /** Fetches for 1,000 concurrent first verifications. */
  readonly fetchesAtFirst: number
  /** Fetches for 10,000 tokens with bogus kids in two seconds, the endpoint well. */
  readonly fetchesForBogusKids: number
  /** The same with the endpoint answering 500 and the keys expired. */
  readonly fetchesForBogusKidsInOutage: number
  readonly newKeyAtOnce: boolean
  readonly newKeyAfterBogusKid: boolean
  /** Whether a token that passed is refused after a refresh, its key no longer published. */
  readonly withdrawnKeyRefused: boolean
  /** Lifetimes past expiry for which the keys go on in an outage, of the `LONGEST_OUTAGE` tried. */
  readonly outage: number
  /**
   * Milliseconds that a request with a valid token waits, whatever comes of it, when the endpoint
   * hangs and the keys have expired; `null` for more than ten seconds.
   */
  readonly longestStall: number | null
  /** Rejections and exceptions that reached the process. */
  readonly unhandled: number
}

/** Lifetimes. */
export const LONGEST_OUTAGE = 10

/** What a run found. */
export interface FaultResults {
  readonly node: string
  /** This library first. */
  readonly contenders: readonly ContenderResult[]
}

/** How many of the faults that apply were survived. */
export function survived({ faults }: ContenderResult): { survived: number; of: number } {
  const applied = faults.filter(({ survival }) => survival !== 'n/a')
  return {
    survived: applied.filter(({ survival }) => survival === 'yes').length,
    of: applied.length,
  }
}

/** What this library promises and a run did not find, in words. */
export function brokenPromises(result: ContenderResult): string[] {
  const promises: readonly (readonly [kept: boolean, promise: string])[] = [
    [result.faults.every(({ survival }) => survival === 'yes'), 'every fault survived'],
    [result.fetchesAtFirst === 1, '1 fetch for 1,000 concurrent first verifications'],
    [result.fetchesForBogusKids <= 5, 'at most 5 fetches for 10,000 bogus kids'],
    [result.fetchesForBogusKidsInOutage <= 5, 'at most 5 for as many in an outage'],
    [result.newKeyAtOnce, 'a new key used at once'],
    [result.newKeyAfterBogusKid, 'a new key used at once after a bogus kid'],
    [result.withdrawnKeyRefused, 'a withdrawn key refused after a refresh'],
    [result.outage === LONGEST_OUTAGE, 'an outage outlived'],
    [result.longestStall === SHORTEST_STALL, 'no stall'],
    [result.unhandled === 0, 'nothing unhandled'],
  ]
  return promises.filter(([kept]) => !kept).map(([, promise]) => promise)
}

/** Milliseconds: shorter ones count as equal, so that results are the same at each run. */
export const SHORTEST_STALL = 20

const SECOND = 1_000

/** A stall as coarse as it is shown. */
export function coarseStall(milliseconds: number): number {
  if (milliseconds >= SECOND) return Math.round(milliseconds / SECOND) * SECOND
  return [SHORTEST_STALL, 50, 100, 200, 500].find((step) => milliseconds < step) ?? SECOND
}

const EXACT_UP_TO = 20

/** A count as coarse as it is shown: large ones depend on the machine. */
export function coarseCount(count: number): number {
  if (count <= EXACT_UP_TO) return count
  const magnitude = 10 ** Math.floor(Math.log10(count))
  return Math.round(count / magnitude) * magnitude
}
