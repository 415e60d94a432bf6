import { parseAllowedCallers, type AllowedCaller } from '../policy/allowed-callers.ts'
import type { ListedRoute } from './listed-callers.ts'
import type { Proposal, ProposedCaller } from './proposals.ts'

/** How the lists of one route differ from its traffic. */
export interface Difference {
  readonly method: string
  readonly route: string
  readonly listedAndNeverCalls: readonly AllowedCaller[]
  readonly callsAndIsNotListed: readonly ProposedCaller[]
}

/** Compares traffic with the present lists. Routes that agree are left out. */
export function compareLists(
  proposals: readonly Proposal[],
  listed: readonly ListedRoute[],
): Difference[] {
  const callers = callersByRoute(proposals, listed)
  const routes = new Map(listed.map((row) => [nameOf(row.method, row.url), row]))
  return [...new Set([...routes.keys(), ...callers.keys()])]
    .map((name) => difference(name, routes.get(name), callers.get(name) ?? []))
    .filter(
      ({ listedAndNeverCalls, callsAndIsNotListed }) =>
        listedAndNeverCalls.length > 0 || callsAndIsNotListed.length > 0,
    )
}

function difference(
  name: string,
  row: ListedRoute | undefined,
  callers: readonly ProposedCaller[],
): Difference {
  const [method, route] = JSON.parse(name) as [string, string]
  if (row?.access === 'open') {
    return { method, route, listedAndNeverCalls: [], callsAndIsNotListed: [] }
  }
  const list = row?.allowedCallers ?? []
  return {
    method,
    route,
    listedAndNeverCalls: list.filter((entry) => !callers.some((one) => isIn([entry], one))),
    callsAndIsNotListed: callers.filter((one) => !isIn(list, one)),
  }
}

function isIn(list: readonly AllowedCaller[], { email, subject }: ProposedCaller): boolean {
  if (list.length === 0) return false
  return parseAllowedCallers('allowedCallers', list).includes(email ?? undefined, subject)
}

/** `listAllowedCallers()` has no row for the HEAD route that Fastify adds to a GET route. */
function callersByRoute(
  proposals: readonly Proposal[],
  listed: readonly ListedRoute[],
): Map<string, readonly ProposedCaller[]> {
  const names = new Set(listed.map(({ method, url }) => nameOf(method, url)))
  const callers = new Map<string, readonly ProposedCaller[]>()
  for (const { method, route, callers: found } of proposals) {
    const own = nameOf(method, route)
    const name = method === 'HEAD' && !names.has(own) ? nameOf('GET', route) : own
    callers.set(name, [...(callers.get(name) ?? []), ...found])
  }
  return callers
}

function nameOf(method: string, url: string): string {
  return JSON.stringify([method, url])
}
