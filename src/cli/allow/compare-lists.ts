import { parseAllowedCallers, type AllowedCaller } from '../../policy/allowed-callers.ts'
import type { ListedRoute } from '../listed-callers.ts'
import { isAboutLists, type Proposal, type ProposedCaller } from './proposals.ts'

/** How the lists of one route differ from its traffic. */
export interface Difference {
  readonly method: string
  readonly route: string
  readonly listedAndNeverCalls: readonly AllowedCaller[]
  readonly callsAndIsNotListed: readonly ProposedCaller[]
  /** Calls that no list would let in: without a token, or with one that is refused. */
  readonly refusedInAnyCase: readonly RefusedCalls[]
}

/** Calls of one caller that are refused for one reason. */
export interface RefusedCalls {
  readonly outcome: string
  readonly calls: number
  /** A listed caller; `null` where nobody is known. */
  readonly caller: ProposedCaller | null
}

/** Who calls one route. */
type RouteCalls = Pick<Proposal, 'callers' | 'unknownCallers'>

const NO_CALLS: RouteCalls = { callers: [], unknownCallers: {} }

/** Compares traffic with the present lists. Routes that agree are left out. */
export function compareLists(
  proposals: readonly Proposal[],
  listed: readonly ListedRoute[],
): Difference[] {
  const calls = callsByRoute(proposals, listed)
  const routes = new Map(listed.map((row) => [nameOf(row.method, row.url), row]))
  return [...new Set([...routes.keys(), ...calls.keys()])]
    .map((name) => difference(name, routes.get(name), calls.get(name) ?? NO_CALLS))
    .filter(
      ({ listedAndNeverCalls, callsAndIsNotListed, refusedInAnyCase }) =>
        listedAndNeverCalls.length + callsAndIsNotListed.length + refusedInAnyCase.length > 0,
    )
}

function difference(
  name: string,
  row: ListedRoute | undefined,
  { callers, unknownCallers }: RouteCalls,
): Difference {
  const [method, route] = JSON.parse(name) as [string, string]
  if (row?.access === 'open') {
    const nobody = { listedAndNeverCalls: [], callsAndIsNotListed: [], refusedInAnyCase: [] }
    return { method, route, ...nobody }
  }
  const list = row?.allowedCallers ?? []
  const known = callers.filter((one) => isIn(list, one))
  return {
    method,
    route,
    listedAndNeverCalls: list.filter((entry) => !callers.some((one) => isIn([entry], one))),
    callsAndIsNotListed: callers.filter((one) => !isIn(list, one)),
    refusedInAnyCase: [
      ...known.flatMap(refusalsOf),
      ...Object.entries(unknownCallers)
        .filter(([outcome]) => isRefusedUnknown(outcome, row?.access === 'optional'))
        .map(([outcome, calls]) => ({ outcome, calls, caller: null })),
    ],
  }
}

function refusalsOf(caller: ProposedCaller): RefusedCalls[] {
  return Object.entries(caller.outcomes)
    .filter(([outcome]) => !isAboutLists(outcome))
    .map(([outcome, calls]) => ({ outcome, calls, caller }))
}

/**
 * A caller whose token had no signature any more (`trustRemovedSignature`) is accepted and not known.
 * An optional route takes calls without a token, also those of a time before it was optional.
 */
function isRefusedUnknown(outcome: string, optional: boolean): boolean {
  if (outcome === 'accepted') return false
  return !(optional && ['anonymous', 'ID_TOKEN_MISSING'].includes(outcome))
}

function isIn(list: readonly AllowedCaller[], { email, subject }: ProposedCaller): boolean {
  if (list.length === 0) return false
  return parseAllowedCallers('allowedCallers', list).includes(email ?? undefined, subject)
}

/** `listAllowedCallers()` has no row for the HEAD route that Fastify adds to a GET route. */
function callsByRoute(
  proposals: readonly Proposal[],
  listed: readonly ListedRoute[],
): Map<string, RouteCalls> {
  const names = new Set(listed.map(({ method, url }) => nameOf(method, url)))
  const calls = new Map<string, RouteCalls>()
  for (const { method, route, ...found } of proposals) {
    const own = nameOf(method, route)
    const name = method === 'HEAD' && !names.has(own) ? nameOf('GET', route) : own
    calls.set(name, merged(calls.get(name) ?? NO_CALLS, found))
  }
  return calls
}

function merged(some: RouteCalls, others: RouteCalls): RouteCalls {
  const unknownCallers = { ...some.unknownCallers }
  for (const [outcome, calls] of Object.entries(others.unknownCallers)) {
    unknownCallers[outcome] = (unknownCallers[outcome] ?? 0) + calls
  }
  return { callers: [...some.callers, ...others.callers], unknownCallers }
}

function nameOf(method: string, url: string): string {
  return JSON.stringify([method, url])
}
