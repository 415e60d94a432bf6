import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import { entryOf, kindOf, projectOf } from '../account.ts'
import { callsOf, type Calls, type RouteTraffic } from './traffic.ts'

/** A caller of a route, and whether it is proposed. */
export interface ProposedCaller {
  /** As a list would hold it; `null` if a list cannot. */
  readonly entry: AllowedCaller | null
  readonly email: string | null
  readonly subject: string
  readonly calls: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Whether it is in `allowedCallers`: nothing but doubts speaks against it. */
  readonly proposed: boolean
  /** Reasons for which it is not proposed. */
  readonly against: readonly string[]
  /** What to think about before it is pasted. */
  readonly doubts: readonly string[]
}

/** The list that a route's traffic suggests. */
export interface Proposal {
  readonly method: string
  readonly route: string
  readonly calls: number
  readonly allowedCallers: readonly AllowedCaller[]
  /** Most calls first. */
  readonly callers: readonly ProposedCaller[]
  /** Requests whose caller is not known, by outcome. */
  readonly unknownCallers: Readonly<Record<string, number>>
}

/** The projects whose accounts are proposed. */
export interface HomeProjects {
  readonly projects: readonly string[]
  /** Whether they were given, and not guessed. */
  readonly given: boolean
}

/**
 * The projects of the option `--project`, or the one whose accounts call most. That one is a guess:
 * a stranger may call most. So the answer begins with it, and proposes nobody of other projects.
 */
export function homeProjects(
  given: readonly string[],
  routes: readonly RouteTraffic[],
): HomeProjects {
  if (given.length > 0) return { projects: given, given: true }
  const calls = new Map<string, number>()
  for (const { callers } of routes) {
    for (const { caller, calls: count } of callers.values()) {
      const project = projectOfCaller(caller.email)
      if (project !== undefined) calls.set(project, (calls.get(project) ?? 0) + count)
    }
  }
  const [most] = [...calls].sort(([, a], [, b]) => b - a)
  return { projects: most === undefined ? [] : [most[0]], given: false }
}

function projectOfCaller(email: string | undefined): string | undefined {
  return email === undefined || kindOf(email) !== 'service account' ? undefined : projectOf(email)
}

/** Proposes a list for each route. */
export function propose(routes: readonly RouteTraffic[], home: HomeProjects): Proposal[] {
  return routes.map((traffic) => {
    const { method, route, unknownCallers } = traffic
    const callers = [...traffic.callers.values()]
      .sort((a, b) => b.calls - a.calls)
      .map((calls) => proposedCaller(calls, home))
    return {
      method,
      route,
      calls: callsOf(traffic),
      allowedCallers: callers.flatMap(({ entry, proposed }) =>
        proposed && entry !== null ? [entry] : [],
      ),
      callers,
      unknownCallers: Object.fromEntries(unknownCallers),
    }
  })
}

function proposedCaller({ caller, calls, outcomes }: Calls, home: HomeProjects): ProposedCaller {
  const entry = entryOf(caller)
  const { email, subject } = caller
  const against = entry === null ? [NO_ENTRY] : objections(entry, email, home)
  return {
    entry,
    email: email ?? null,
    subject,
    calls,
    outcomes: Object.fromEntries(outcomes),
    proposed: against.length === 0,
    against,
    doubts: doubts(calls, outcomes),
  }
}

const NO_ENTRY = 'a list cannot hold it: it is no service account, unique id or email in lower case'

function objections(
  entry: AllowedCaller,
  email: string | undefined,
  { projects, given }: HomeProjects,
): string[] {
  if (email === undefined) {
    return [
      'its token has no email: ask whose unique id this is, or let it ask for one (format=full)',
    ]
  }
  const kind = kindOf(email)
  if (kind === 'person') return ['a person and not a service account']
  if (kind === 'service agent') return ['a service agent: a Google product that acts for somebody']
  // An entry that is a string has a known form of a service account's email; any other email is an
  // object.
  const project = typeof entry === 'string' ? projectOf(email) : undefined
  if (project === undefined) return ['its email has no known form of a service account']
  if (projects.includes(project)) return []
  const home = given ? 'those of --project' : `${projects.join()}, which calls most (see --project)`
  return [`of project ${project}, and not of ${home}`]
}

/** Outcomes that are good, or that a list changes. */
const ABOUT_LISTS = [
  'accepted',
  'refused',
  'ID_TOKEN_CALLER_NOT_ALLOWED',
  'ID_TOKEN_CALLER_UNIDENTIFIED',
]

/** Whether a list could let in a caller with this outcome. */
export function isAboutLists(outcome: string): boolean {
  return ABOUT_LISTS.includes(outcome)
}

function doubts(calls: number, outcomes: ReadonlyMap<string, number>): string[] {
  const others = [...outcomes.keys()].filter((outcome) => !isAboutLists(outcome))
  return [
    ...(calls === 1 ? ['seen once'] : []),
    ...others.map((outcome) => `refused for another reason too: ${outcome}`),
  ]
}
