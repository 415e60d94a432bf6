import { oneLineText } from '../errors/one-line.ts'
import { failsafeCalls, type FailsafeCalls } from './failsafe-calls.ts'
import { TimeWindow } from '../pacing/time-window.ts'
import { CompositeKeyMap, type Part } from './composite-key-map.ts'

/** The part of a logger that the audit log uses. */
export interface InfoLogger {
  /** Logs a message, with what was found as its fields. */
  readonly info: (finding: object, message: string) => void
}

/** A request as the audit log tells requests apart. */
export interface AuditedRequest {
  readonly method: string
  /** The route as it was declared; `null` if no route was found. */
  readonly route: string | null
  /** `accepted`, `anonymous`, or the code of the refusal. */
  readonly outcome: string
  readonly enforced: boolean
  /** Only where the signature was verified. */
  readonly caller: AuditedCaller | null
  /** The header that decided. */
  readonly header: string | null
}

/** Who called. */
export interface AuditedCaller {
  readonly email: string | undefined
  readonly subject: string
}

/** Requests that one line reports. */
interface Combination {
  readonly key: readonly Part[]
  readonly request: object
  /** Those that no line has reported yet. */
  count: number
}

/** The last request of a caller, and its combination. */
interface Latest {
  readonly request: AuditedRequest
  readonly combination: Combination
}

/** What an audit log is made of. */
export interface AuditLogParts {
  /** Milliseconds. */
  readonly interval: number
  /**
   * Milliseconds since the epoch. It is read at each request; a steady clock would read two clocks.
   */
  readonly now: () => number
  /** Milliseconds; must never stand still. */
  readonly steadyNow: () => number
  /** Of the application: it gets the lines with the numbers. */
  readonly logger: InfoLogger
}

const MOST_COMBINATIONS = 1_000

/** The outcome in the line of all combinations beyond the first 1,000. */
export const OTHERS_OUTCOME = 'others'
const OTHERS = { method: null, route: null, outcome: OTHERS_OUTCOME, caller: null, header: null }
const OTHERS_KEY = [OTHERS_OUTCOME]

/**
 * Logs who calls what: a line when a combination is seen first, and then one line per interval.
 * Lines and memory are bounded, because anyone can create any number of accounts.
 */
export class AuditLog {
  readonly #logger: InfoLogger
  #combinations = new CompositeKeyMap<Combination>()
  /**
   * The last combination of each caller: most callers send one request again and again, and a
   * remembered token most often gives the same object.
   */
  #latest = new WeakMap<AuditedCaller, Latest>()
  readonly #interval: TimeWindow
  readonly #failsafe: FailsafeCalls

  constructor({ interval, now, steadyNow, logger }: AuditLogParts) {
    this.#logger = logger
    this.#failsafe = failsafeCalls(steadyNow)
    this.#interval = new TimeWindow({
      length: interval,
      now,
      over: () => {
        this.#logCounts()
      },
    })
  }

  /** @param logger - of the request: it gets the line of a new combination */
  record(request: AuditedRequest, logger: InfoLogger = this.#logger): void {
    this.#interval.use()
    const known = this.#latestOf(request) ?? this.#find(request)
    if (known !== undefined) known.count += 1
    else if (this.#isFull()) this.#countOther()
    else this.#add(keyOf(request), shown(request), logger)
  }

  #latestOf(request: AuditedRequest): Combination | undefined {
    const { caller } = request
    const latest = caller === null ? undefined : this.#latest.get(caller)
    return latest !== undefined && isSame(latest.request, request) ? latest.combination : undefined
  }

  #find(request: AuditedRequest): Combination | undefined {
    const combination = this.#combinations.get(keyOf(request))
    const { caller } = request
    if (combination !== undefined && caller !== null) {
      this.#latest.set(caller, { request, combination })
    }
    return combination
  }

  /** Tells the numbers now. */
  close(): void {
    this.#interval.end()
  }

  #isFull(): boolean {
    return this.#combinations.values.length >= MOST_COMBINATIONS
  }

  #countOther(): void {
    const others = this.#combinations.get(OTHERS_KEY)
    if (others !== undefined) others.count += 1
    else this.#add(OTHERS_KEY, OTHERS, this.#logger)
  }

  #add(key: readonly Part[], request: object, logger: InfoLogger): void {
    this.#combinations.add(key, { key, request, count: 0 })
    this.#write(request, 1, logger)
  }

  /** A combination that was not seen for an interval makes room for another one. */
  #logCounts(): void {
    const seen = this.#combinations.values.filter(({ count }) => count > 0)
    this.#combinations = new CompositeKeyMap()
    this.#latest = new WeakMap()
    for (const { key, request, count } of seen) {
      this.#combinations.add(key, { key, request, count: 0 })
      this.#write(request, count, this.#logger)
    }
  }

  /** A logger that throws must not change the answer to a request. */
  #write(request: object, count: number, logger: InfoLogger): void {
    this.#failsafe(() => {
      logger.info({ idToken: { ...request, count } }, 'ID token audit')
    })
  }
}

/**
 * What tells requests apart. The parts with few values come first: combinations share the maps of the
 * parts that they have in common.
 */
function keyOf({ method, route, outcome, enforced, caller, header }: AuditedRequest): Part[] {
  if (caller === null) return [outcome, enforced, header, method, route]
  const { subject, email = '' } = caller
  return [outcome, enforced, header, method, route, cut(subject), cut(email)]
}

/** Whether two requests of one caller are of one combination. */
function isSame(one: AuditedRequest, other: AuditedRequest): boolean {
  return (
    one.route === other.route &&
    one.method === other.method &&
    one.outcome === other.outcome &&
    one.header === other.header &&
    one.enforced === other.enforced
  )
}

const LONGEST_KEY_PART = 256

/** A caller may have an email and an id of any length. */
function cut(text: string): string {
  return text.length > LONGEST_KEY_PART ? text.slice(0, LONGEST_KEY_PART) : text
}

function shown({ caller, ...request }: AuditedRequest): object {
  if (caller === null) return { ...request, caller }
  const { email, subject } = caller
  return {
    ...request,
    caller: { email: email && oneLineText(email), subject: oneLineText(subject) },
  }
}
