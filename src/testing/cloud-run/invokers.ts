import {
  parseAllowedCallers,
  type AllowedCaller,
  type AllowedCallers,
} from '../../policy/allowed-callers.ts'
import type { Caller } from '../../policy/caller.ts'
import { invalidOption } from '../../checks/invalid-option.ts'
import { uniqueIdOf } from '../issuer/google-claims.ts'

/** Who has the role that lets in. */
export interface Invokers {
  /** Whether this caller has it. */
  readonly include: (caller: Caller) => boolean
}

const ACCEPTED =
  'serviceAccount:EMAIL, user:EMAIL, allAuthenticatedUsers, allUsers, or an entry of allowedCallers. Groups, domains and federated principals are known to Google alone'

/**
 * Parses and compiles IAM members (https://cloud.google.com/iam/docs/principal-identifiers).
 *
 * @param name - the option
 * @returns `null` if `allUsers` is one of them: then nobody needs a token
 * @throws TypeError naming the member
 */
export function parseInvokers(name: string, value: unknown): Invokers | null {
  if (!Array.isArray(value)) {
    throw invalidOption(name, value, `a list of IAM members, [] for nobody: ${ACCEPTED}`)
  }
  const members = value.map((member: unknown, index) =>
    member === 'allUsers' || member === 'allAuthenticatedUsers'
      ? member
      : parseMember(`${name}[${index}]`, member),
  )
  if (members.includes('allUsers')) return null
  return {
    include: (caller) =>
      members.some((member) => typeof member === 'string' || isMember(caller, member)),
  }
}

function parseMember(where: string, member: unknown): AllowedCallers {
  const entry: unknown =
    typeof member === 'string' && member.startsWith('user:') ? { email: member.slice(5) } : member
  try {
    return parseAllowedCallers(where, [entry])
  } catch {
    throw invalidOption(where, member, ACCEPTED)
  }
}

/** IAM identifies an account by its unique id, so the token needs no email. */
function isMember({ email, subject }: Caller, { includes, configured }: AllowedCallers): boolean {
  return (
    includes(email, subject) || configured.some((entry) => uniqueIdOf(emailOf(entry)) === subject)
  )
}

function emailOf(entry: AllowedCaller): string {
  return typeof entry === 'string' ? entry.replace(/^serviceAccount:/, '') : entry.email
}
