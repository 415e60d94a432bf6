/** The credential files that clients read, with the emulator's addresses in them. */
import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import { uniqueIdOf } from '../issuer/google-claims.ts'
import { parseBoolean, parseEmail } from '../../checks/parse-options.ts'
import type {
  AuthorizedUser,
  AuthorizedUserOptions,
  ImpersonatedCredentials,
  ServiceAccountKeyFile,
  WorkloadIdentityConfig,
  WorkloadIdentityOptions,
} from './credential-files.ts'
import { AWS_SUBJECT_TOKEN_TYPE, AWS_VERIFICATION_URL } from './aws-subject-token.ts'
import type { EmulatorState } from './emulator-state.ts'
import { projectOf } from './emulator-options.ts'
import { STS_PATH, SUBJECT_TOKEN_TYPE, subjectTokenUrl } from './endpoints/sts.ts'
import { GCLOUD_CLIENT } from './users.ts'

const UNIVERSE_DOMAIN = 'googleapis.com'

/** The key file of an account; always the same key. */
export function serviceAccountKey(google: EmulatorState, email: string): ServiceAccountKeyFile {
  const { id, privateKey } = google.accounts.key(parseEmail('email', email))
  return {
    type: 'service_account',
    project_id: projectOf(email) ?? google.settings.projectId,
    private_key_id: id,
    private_key: privateKey,
    client_email: email,
    client_id: uniqueIdOf(email),
    auth_uri: `${google.url}/o/oauth2/auth`,
    token_uri: `${google.url}/token`,
    auth_provider_x509_cert_url: `${google.url}/oauth2/v1/certs`,
    client_x509_cert_url: `${google.url}/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: UNIVERSE_DOMAIN,
  }
}

/** The credentials of a workload that has a token of another identity provider. */
export function workloadIdentityConfig(
  google: EmulatorState,
  email: string,
  options: WorkloadIdentityOptions,
): WorkloadIdentityConfig {
  const { impersonate, ...source } = parseWorkloadIdentityOptions(options)
  google.accounts.find(parseEmail('email', email))
  return {
    type: 'external_account',
    universe_domain: UNIVERSE_DOMAIN,
    audience: source.aws ? google.pool.awsAudience : google.pool.audience,
    subject_token_type: source.aws ? AWS_SUBJECT_TOKEN_TYPE : SUBJECT_TOKEN_TYPE,
    token_url: `${google.url}${STS_PATH}`,
    ...(impersonate && { service_account_impersonation_url: impersonationUrl(google, email) }),
    credential_source: credentialSource(google, email, source),
    cloud_resource_manager_url: `${google.url}/v1/projects/`,
  }
}

function credentialSource(
  google: EmulatorState,
  email: string,
  { subjectTokenFile: file, aws }: SubjectTokenSource,
): WorkloadIdentityConfig['credential_source'] {
  // Without the URLs of AWS's instance metadata, which would be asked where no keys are set.
  if (aws) return { environment_id: 'aws1', regional_cred_verification_url: AWS_VERIFICATION_URL }
  if (file !== undefined) return { file }
  return {
    url: subjectTokenUrl(google.url, email),
    format: { type: 'json', subject_token_field_name: 'subject_token' },
  }
}

/** The credentials of a workload that impersonates the account. */
export function impersonatedCredentials(
  google: EmulatorState,
  email: string,
): ImpersonatedCredentials {
  parseEmail('email', email)
  return {
    type: 'impersonated_service_account',
    universe_domain: UNIVERSE_DOMAIN,
    service_account_impersonation_url: impersonationUrl(google, email),
    delegates: [],
    source_credentials: workloadIdentityConfig(google, email, { impersonate: false }),
    endpoint: google.url,
  }
}

/** A person's login. */
export function authorizedUser(
  google: EmulatorState,
  email: string,
  options: AuthorizedUserOptions,
): AuthorizedUser {
  const { honoursTargetAudience = false } = parseNames('options', options, [
    'honoursTargetAudience',
  ])
  const client = { clientId: GCLOUD_CLIENT, clientSecret: 'emulator-client-secret' }
  return {
    type: 'authorized_user',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    refresh_token: google.logins.add({
      email: parseEmail('email', email),
      ...client,
      honoursTargetAudience: parseBoolean('honoursTargetAudience', honoursTargetAudience),
    }),
    token_uri: `${google.url}/token`,
    account: email,
    universe_domain: UNIVERSE_DOMAIN,
  }
}

/** Where a workload has its subject token from. */
interface SubjectTokenSource {
  readonly subjectTokenFile: string | undefined
  readonly aws: boolean
}

function parseWorkloadIdentityOptions(
  value: unknown,
): SubjectTokenSource & { readonly impersonate: boolean } {
  const options = parseNames('options', value, ['impersonate', 'subjectTokenFile', 'aws'])
  const { impersonate = true, subjectTokenFile: file, aws = false } = options
  if (file !== undefined && (typeof file !== 'string' || file === '')) {
    throw invalidOption('subjectTokenFile', file, 'the path of a file')
  }
  const onAws = parseBoolean('aws', aws)
  if (onAws && file !== undefined) {
    throw invalidOption('aws', aws, 'false where subjectTokenFile is given')
  }
  return {
    impersonate: parseBoolean('impersonate', impersonate),
    subjectTokenFile: file,
    aws: onAws,
  }
}

function impersonationUrl(google: EmulatorState, email: string): string {
  return `${google.url}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`
}
