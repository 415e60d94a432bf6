import {
  isServiceAgent,
  parseAllowedCallers,
  type AllowedCaller,
} from '../policy/allowed-callers.ts'
import type { LoggedCaller } from './audit-line.ts'

/** What kind of account an email is of. */
export type AccountKind = 'service account' | 'service agent' | 'person'

/** An entry of a list for this caller; `null` if a list cannot hold the caller. */
export function entryOf({ email, subject }: LoggedCaller): AllowedCaller | null {
  if (email === undefined) return isEntry(subject) ? subject : null
  if (isEntry(email)) return email
  return isEntry({ email }) ? { email } : null
}

function isEntry(entry: AllowedCaller): boolean {
  try {
    parseAllowedCallers('allowedCallers', [entry])
    return true
  } catch {
    return false
  }
}

/** What kind of account this email is of. */
export function kindOf(email: string): AccountKind {
  if (isServiceAgent(email)) return 'service agent'
  return email.endsWith('.gserviceaccount.com') ? 'service account' : 'person'
}

/**
 * The project of a service account (https://cloud.google.com/iam/docs/service-account-types): its
 * id, or its number where the email has only that; `undefined` for other accounts.
 */
export function projectOf(email: string): string | undefined {
  const [, byDomain, numberOrId] =
    /@(.+)\.iam\.gserviceaccount\.com$|^([^@]+?)(?:-compute@developer|@(?:appspot|cloudbuild|cloudservices))\.gserviceaccount\.com$/.exec(
      email,
    ) ?? []
  return byDomain ?? numberOrId
}
