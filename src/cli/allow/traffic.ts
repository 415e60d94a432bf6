import { OTHERS_OUTCOME } from '../../telemetry/audit-log.ts'
import type { AuditLine, LoggedCaller } from '../audit-line.ts'

/** How often one caller has called one route. */
export interface Calls {
  readonly caller: LoggedCaller
  calls: number
  /** Outcomes, and how often each came. */
  readonly outcomes: Map<string, number>
}

/** Who has called one route. */
export interface RouteTraffic {
  readonly method: string
  readonly route: string
  readonly callers: Map<string, Calls>
  /** Requests whose caller is not known, by outcome. */
  readonly unknownCallers: Map<string, number>
}

/** Who has called what. Its memory is bounded, because callers choose what is in a log. */
export class Traffic {
  readonly #most: number
  readonly #routes = new Map<string, RouteTraffic>()
  #combinations = 0
  #notKept = 0
  #withoutRoute = 0
  #countedTogether = 0

  /** @param most - combinations of route, and caller or outcome, that are kept */
  constructor(most = 20_000) {
    this.#most = most
  }

  /** Most calls first. */
  get routes(): readonly RouteTraffic[] {
    return [...this.#routes.values()].sort((a, b) => callsOf(b) - callsOf(a))
  }

  /** Requests whose combination was not kept, because there were too many. */
  get notKept(): number {
    return this.#notKept
  }

  /** Requests to paths that no route has. */
  get withoutRoute(): number {
    return this.#withoutRoute
  }

  /** Requests that the audit log has counted together. */
  get countedTogether(): number {
    return this.#countedTogether
  }

  add({ method, route, outcome, count, caller }: AuditLine): void {
    if (route === null) {
      if (outcome === OTHERS_OUTCOME) this.#countedTogether += count
      else this.#withoutRoute += count
      return
    }
    const name = JSON.stringify([method, route])
    const known = this.#routes.get(name)
    const traffic = known ?? { method, route, callers: new Map(), unknownCallers: new Map() }
    const counted =
      caller === null
        ? this.#countUnknown(traffic, outcome, count)
        : this.#countCaller(traffic, caller, { outcome, count })
    if (!counted) this.#notKept += count
    else if (known === undefined) this.#routes.set(name, traffic)
  }

  #countUnknown({ unknownCallers }: RouteTraffic, outcome: string, count: number): boolean {
    const calls = unknownCallers.get(outcome)
    if (calls === undefined && !this.#hasRoom()) return false
    unknownCallers.set(outcome, (calls ?? 0) + count)
    return true
  }

  #countCaller(
    { callers }: RouteTraffic,
    caller: LoggedCaller,
    { outcome, count }: Pick<AuditLine, 'outcome' | 'count'>,
  ): boolean {
    // An account that was deleted and made again has the same email, and is listed by it.
    const name = caller.email ?? caller.subject
    const known = callers.get(name)
    const calls = known ?? { caller, calls: 0, outcomes: new Map<string, number>() }
    if (!calls.outcomes.has(outcome) && !this.#hasRoom()) return false
    calls.calls += count
    calls.outcomes.set(outcome, (calls.outcomes.get(outcome) ?? 0) + count)
    if (known === undefined) callers.set(name, calls)
    return true
  }

  #hasRoom(): boolean {
    if (this.#combinations >= this.#most) return false
    this.#combinations += 1
    return true
  }
}

/** Requests to a route. */
export function callsOf({ callers, unknownCallers }: RouteTraffic): number {
  const byCallers = [...callers.values()].map(({ calls }) => calls)
  return [...byCallers, ...unknownCallers.values()].reduce((sum, calls) => sum + calls, 0)
}
