import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { ListedRoute } from '../listed-callers.ts'
import { quoted } from '../quoted.ts'

/** The bindings that lists of callers imply. */
export interface ImpliedInvokers {
  /** As IAM spells them, each once, sorted. */
  readonly members: readonly string[]
  /** Entries that no binding can stand for. */
  readonly withoutBinding: readonly { readonly entry: string; readonly reason: string }[]
  /** Routes that let in others than the listed callers. */
  readonly notes: readonly string[]
  /** The projects of entries that mean every service account of a project. */
  readonly wholeProjects: readonly string[]
}

const WHOLE_PROJECT = '*@'

const UNIQUE_ID = 'a unique id: IAM takes the email of the account'
const WHOLE =
  'every service account of a project: IAM takes each account by its email, so bind those that call'

/** The members of `roles/run.invoker` that the lists need. */
export function impliedInvokers(routes: readonly ListedRoute[]): ImpliedInvokers {
  const entries = [...new Map(routes.flatMap(entriesOf)).values()]
  const members = entries.flatMap((entry) => memberOf(entry) ?? [])
  const others = entries.filter(isWithoutMember)
  return {
    members: [...new Set(members)].sort(),
    withoutBinding: others.sort().map((entry) => ({
      entry,
      reason: entry.startsWith(WHOLE_PROJECT) ? WHOLE : UNIQUE_ID,
    })),
    notes: routes.flatMap(noteOn),
    wholeProjects: others.flatMap((entry) =>
      entry.startsWith(WHOLE_PROJECT) ? [entry.slice(WHOLE_PROJECT.length)] : [],
    ),
  }
}

function entriesOf({ allowedCallers }: ListedRoute): [key: string, entry: AllowedCaller][] {
  return allowedCallers.map((entry) => [JSON.stringify(entry), entry])
}

/** A person always has a member. */
function isWithoutMember(entry: AllowedCaller): entry is string {
  return memberOf(entry) === null
}

/** https://cloud.google.com/iam/docs/principal-identifiers */
function memberOf(entry: AllowedCaller): string | null {
  if (typeof entry !== 'string') return `user:${entry.email}`
  if (entry.startsWith('serviceAccount:')) return entry
  return entry.startsWith(WHOLE_PROJECT) || !entry.includes('@') ? null : `serviceAccount:${entry}`
}

function noteOn({ method, url, access }: ListedRoute): string[] {
  const route = quoted(`${method} ${url}`)
  if (access === 'open') {
    return [
      `${route} is open to anyone: with the IAM check of Cloud Run on, only invokers reach it`,
    ]
  }
  return access === 'optional'
    ? [`${route} answers requests without a token: with the IAM check on, none arrives without one`]
    : []
}
