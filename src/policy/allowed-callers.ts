import { invalidOption } from '../checks/invalid-option.ts'
import { unreadableMembers } from '../checks/plain-object.ts'

/**
 * One entry of a list of callers:
 *
 * - `name@project.iam.gserviceaccount.com`, or another form of a service account's email;
 * - `serviceAccount:EMAIL`, the same as gcloud and Terraform print it;
 * - 15 to 25 digits: a service account's unique id, its `sub`;
 * - `*@project.iam.gserviceaccount.com`: every service account of one project;
 * - `{ email }`: a person's email. It is an object, so that nobody lists a person by mistake.
 */
export type AllowedCaller =
  | string
  | {
      /** A person's email, in lower case. */
      readonly email: string
    }

/**
 * A list of callers, compiled once, so that a check costs three look-ups for a list of any length.
 */
export interface AllowedCallers {
  /** As configured. */
  readonly configured: readonly AllowedCaller[]
  /** As a log shows it: the whole list, or only its length. */
  readonly summary: readonly AllowedCaller[] | string
  /** Whether a caller with this verified email (if any) and unique id is in the list. */
  includes: (email: string | undefined, subject: string) => boolean
}

// The forms of https://cloud.google.com/iam/docs/service-account-types, all lower case. Lengths are
// not checked: Google checks them when an account is created, and service agents have other
// lengths.
const PROJECT_DOMAIN = String.raw`[a-z0-9][-a-z0-9]*(?:\.[a-z0-9][-a-z0-9]*){0,3}\.iam\.gserviceaccount\.com`
const SERVICE_ACCOUNT = new RegExp(
  String.raw`^(?:[a-z0-9][-a-z0-9]{0,62}@${PROJECT_DOMAIN}` +
    String.raw`|[0-9]{1,20}-compute@developer\.gserviceaccount\.com` +
    String.raw`|[a-z0-9][-a-z0-9.:]{0,62}@(?:appspot|cloudservices|cloudbuild)\.gserviceaccount\.com` +
    // Of Google Chat (https://developers.google.com/workspace/chat/verify-requests-from-chat).
    String.raw`|chat@system\.gserviceaccount\.com)$`,
)
const UNIQUE_ID = /^[0-9]{15,25}$/
const PROJECT_WILDCARD = new RegExp(`^\\*@(${PROJECT_DOMAIN})$`)
const PERSON = /^[^\s@:*"(),;<>[\]\\]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/

/**
 * Service agents are in Google's projects, which all customers share: service-N@…, bq-N@… and
 * similar ones are agents of project N (https://cloud.google.com/iam/docs/service-agents). A
 * project wildcard means the accounts of that project, so it never matches an agent, and the shared
 * projects are refused.
 */
const SERVICE_AGENT = /^(?:service|project|bq|p)-?[0-9]+[-@]/
const SHARED_BY_ALL_PROJECTS = 'gcp-sa-'

const LONGEST_SUMMARY = 20

const ACCEPTED =
  'a service account email (lower case), serviceAccount:EMAIL, a unique id (15 to 25 digits), *@PROJECT.iam.gserviceaccount.com, or { email } for a person'

/** Nobody. It is no list that can be configured. */
export const NO_CALLERS: AllowedCallers = {
  configured: Object.freeze([]),
  summary: [],
  includes: () => false,
}

/**
 * Parses and compiles a list of callers.
 *
 * @param name - the option that holds the list, for the message
 * @throws TypeError naming the entry, why it is refused, and what is accepted
 */
export function parseAllowedCallers(name: string, value: unknown): AllowedCallers {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalidOption(name, value, `a non-empty list; an entry is ${ACCEPTED}`)
  }
  const emails = new Set<string>()
  const subjects = new Set<string>()
  const projects = new Set<string>()
  const configured = value.map((entry: unknown, index): AllowedCaller => {
    const where = `${name}[${index}]`
    if (typeof entry !== 'string') {
      const email = parsePerson(where, entry)
      emails.add(email)
      return Object.freeze({ email })
    }
    const principal = entry.startsWith('serviceAccount:') ? entry.slice(15) : entry
    const project = PROJECT_WILDCARD.exec(entry)?.[1]
    if (SERVICE_ACCOUNT.test(principal)) emails.add(principal)
    else if (UNIQUE_ID.test(entry)) subjects.add(entry)
    else if (project !== undefined && !project.startsWith(SHARED_BY_ALL_PROJECTS))
      projects.add(project)
    else throw invalidOption(where, entry, `${ACCEPTED}${reason(entry)}`)
    return entry
  })
  return {
    configured: Object.freeze(configured),
    summary: configured.length <= LONGEST_SUMMARY ? configured : `${configured.length} callers`,
    includes: (email, subject) =>
      (subjects.size > 0 && subjects.has(subject)) ||
      (email !== undefined &&
        (emails.has(email) || (projects.size > 0 && isOfProject(email, projects)))),
  }
}

/** Whether an email is that of an agent of a Google product, which acts for many customers. */
export function isServiceAgent(email: string): boolean {
  return (
    SERVICE_AGENT.test(email) ||
    email.includes(`@${SHARED_BY_ALL_PROJECTS}`) ||
    email.endsWith('@system.gserviceaccount.com')
  )
}

function isOfProject(email: string, projects: ReadonlySet<string>): boolean {
  return projects.has(email.slice(email.indexOf('@') + 1)) && !SERVICE_AGENT.test(email)
}

function parsePerson(where: string, entry: unknown): string {
  const problem = typeof entry === 'object' && entry !== null ? unreadableMembers(entry) : null
  const email = problem === null ? emailOf(entry) : undefined
  if (typeof email !== 'string' || !PERSON.test(email) || email !== email.toLowerCase()) {
    throw invalidOption(where, entry, `${ACCEPTED}${reasonOf(entry, email, problem)}`)
  }
  return email
}

function emailOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && Object.keys(entry).join() === 'email'
    ? (entry as { email: unknown }).email
    : undefined
}

function reasonOf(entry: unknown, email: unknown, problem: string | null): string {
  if (typeof entry === 'number')
    return '. Write a unique id as a string: as a number it loses digits'
  if (problem !== null) return `. This object ${problem}`
  return typeof email === 'string' ? '. An email is lower case' : ''
}

/** Why an entry that looks reasonable is refused. */
function reason(entry: string): string {
  if (entry === '*' || entry === 'allUsers' || entry === 'allAuthenticatedUsers') {
    return '. This one would let anyone in: for a route open to all, set config.idToken: false'
  }
  if (entry.startsWith('user:')) return `. For a person write { email: '${entry.slice(5)}' }`
  if (entry.startsWith('deleted:')) return '. A deleted account cannot call'
  if (entry !== entry.toLowerCase() && !/^[a-z]+:/i.test(entry)) {
    return '. Emails of service accounts are lower case'
  }
  if (entry.startsWith('*')) {
    return '. Any Google customer could have an account that matches this one'
  }
  if (PERSON.test(entry)) return `. For a person write { email: '${entry}' }`
  return ''
}
