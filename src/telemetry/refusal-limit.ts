import { failsafe, type Logger } from '../checks/injected.ts'
import { oneLineText } from '../errors/one-line.ts'
import type { IdTokenErrorCode } from '../errors/outcomes.ts'
import { TimeWindow } from '../pacing/time-window.ts'

/** What the lines of refusals are counted by. */
export interface CountedRefusal {
  readonly code: IdTokenErrorCode
  /** The route as it was declared; `undefined` if it is not known. */
  readonly route: string | undefined
  readonly enforced: boolean
}

/** The lines of one code on one route in this minute. */
interface Count extends CountedRefusal {
  lines: number
  suppressed: number
  logger: Logger
}

const LINES_A_MINUTE = 10
const MINUTE = 60_000
/**
 * Codes on routes that are counted separately. After that, all other routes of a code are counted
 * together.
 */
const MOST_COUNTS = 1_000

/**
 * Lets the first refusals of a minute be logged, for each code on each route. Callers decide how many
 * requests are refused, and must not be able to fill a log.
 */
export class RefusalLimit {
  readonly #counts = new Map<string, Count>()
  readonly #minute: TimeWindow

  /** @param now - milliseconds; must never stand still */
  constructor(now: () => number) {
    this.#minute = new TimeWindow({
      length: MINUTE,
      now,
      over: () => {
        this.#logCounts()
      },
    })
  }

  /**
   * Whether this refusal is to be logged by itself. If not, it is counted.
   *
   * @param logger - gets the number at the end of the minute
   */
  mayLog(refusal: CountedRefusal, logger: Logger): boolean {
    this.#minute.use()
    const count = this.#countOf(refusal, logger)
    if (count.lines < LINES_A_MINUTE) {
      count.lines += 1
      return true
    }
    count.suppressed += 1
    count.logger = logger
    return false
  }

  /** Logs the numbers now. */
  close(): void {
    this.#minute.end()
  }

  #countOf({ code, route, enforced }: CountedRefusal, logger: Logger): Count {
    const known = this.#counts.get(keyOf(code, route, enforced))
    if (known !== undefined) return known
    const ownRoute = this.#counts.size < MOST_COUNTS ? route : undefined
    const key = keyOf(code, ownRoute, enforced)
    let count = this.#counts.get(key)
    if (count === undefined) {
      count = { code, route: ownRoute, enforced, lines: 0, suppressed: 0, logger }
      this.#counts.set(key, count)
    }
    return count
  }

  #logCounts(): void {
    for (const { code, route, enforced, suppressed, logger } of this.#counts.values()) {
      if (suppressed === 0) continue
      const shownRoute = route && oneLineText(route)
      failsafe(logger).warn(
        { code, route: shownRoute, enforced, suppressed },
        `${suppressed} more ID tokens ${enforced ? 'refused' : 'would be refused'} in the last minute`,
      )
    }
    this.#counts.clear()
  }
}

function keyOf(code: string, route: string | undefined, enforced: boolean): string {
  return `${code} ${String(enforced)} ${route ?? ''}`
}
