import { FAILURES, type ServiceClientErrorCode } from '../client/failures.ts'
import type { ServiceClientError } from '../client/service-client-error.ts'
import { installLine } from './install-line.ts'

/** Why there is no token, and what to do. */
export function failureLines({ code, detail }: ServiceClientError, verb: string): string[] {
  const remedy = remediesFor(verb)[code] ?? detail.remedy
  const said = detail.reason === undefined ? [] : [`Reason: ${detail.reason}`]
  return [`${code}: ${FAILURES[code].message}: ${remedy}`, ...said]
}

/** In the words of the command line; the remedies of the client name its options in code. */
function remediesFor(verb: string): Partial<Record<ServiceClientErrorCode, string>> {
  return {
    SERVICE_CLIENT_LIBRARY_MISSING: installLine('google-auth-library', verb),
    SERVICE_CLIENT_CREDENTIALS_NOT_FOUND:
      'as a person, run gcloud auth application-default login, and name a service account that you may impersonate with --service-account; or set GOOGLE_APPLICATION_CREDENTIALS to the file of a service-account key or of workload identity federation; or use --emulator, which needs no credentials',
    SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED:
      'name a service account that they may impersonate with --service-account, and grant them roles/iam.serviceAccountOpenIdTokenCreator on it',
  }
}
