/** The credential files that clients read, with the emulator's addresses in them. */
import { uniqueIdOf } from '../google-claims.ts'
import type { EmulatedGoogle } from './emulated-google.ts'
import { projectOf } from './emulator-options.ts'
import { acceptEmail } from './service-accounts.ts'
import { STS_PATH, SUBJECT_TOKEN_TYPE, subjectTokenUrl } from './sts.ts'
import { GCLOUD_CLIENT } from './users.ts'

const UNIVERSE_DOMAIN = 'googleapis.com'

/** A service account's key, as `gcloud iam service-accounts keys create` writes it. */
export interface ServiceAccountKeyFile {
  readonly type: 'service_account'
  readonly project_id: string
  readonly private_key_id: string
  readonly private_key: string
  readonly client_email: string
  readonly client_id: string
  readonly auth_uri: string
  readonly token_uri: string
  readonly auth_provider_x509_cert_url: string
  readonly client_x509_cert_url: string
  readonly universe_domain: string
}

/** A workload outside Google, as `gcloud iam workload-identity-pools create-cred-config` writes it. */
export interface WorkloadIdentityConfig {
  readonly type: 'external_account'
  readonly universe_domain: string
  readonly audience: string
  readonly subject_token_type: string
  readonly token_url: string
  readonly service_account_impersonation_url?: string
  readonly credential_source:
    | { readonly file: string }
    | {
        readonly url: string
        readonly format: { readonly type: 'json'; readonly subject_token_field_name: string }
      }
  /** Read by google-auth-library: where it asks for the project's id. */
  readonly cloud_resource_manager_url: string
}

/** How a workload's credentials are made up. */
export interface WorkloadIdentityOptions {
  /** Whether the client is to become the service account. Default `true`. */
  readonly impersonate?: boolean | undefined
  /** A file that holds `await google.subjectToken(email)`. Default: a URL of the emulator. */
  readonly subjectTokenFile?: string | undefined
}

/** Impersonation, as `gcloud auth application-default login --impersonate-service-account` writes it. */
export interface ImpersonatedCredentials {
  readonly type: 'impersonated_service_account'
  readonly universe_domain: string
  readonly service_account_impersonation_url: string
  readonly delegates: readonly string[]
  readonly source_credentials: WorkloadIdentityConfig
  /** No part of the format; google-auth-library takes it over, and would ask Google otherwise. */
  readonly endpoint: string
}

/** A person's login, as `gcloud auth application-default login` writes it. */
export interface AuthorizedUser {
  readonly type: 'authorized_user'
  readonly client_id: string
  readonly client_secret: string
  readonly refresh_token: string
  readonly token_uri: string
  readonly account: string
  readonly universe_domain: string
}

/** How a login behaves. */
export interface AuthorizedUserOptions {
  /**
   * Whether an ID token is for the audience that was asked for. Google's are not known to be: their
   * `aud` is the OAuth client. Default `false`.
   */
  readonly honoursTargetAudience?: boolean | undefined
}

/** The key file of an account; always the same key. */
export function serviceAccountKey(google: EmulatedGoogle, email: string): ServiceAccountKeyFile {
  const { id, privateKey } = google.accounts.key(acceptEmail('email', email))
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

/** The credentials of a workload that has a token from elsewhere. */
export function workloadIdentityConfig(
  google: EmulatedGoogle,
  email: string,
  { impersonate = true, subjectTokenFile }: WorkloadIdentityOptions,
): WorkloadIdentityConfig {
  google.accounts.find(acceptEmail('email', email))
  return {
    type: 'external_account',
    universe_domain: UNIVERSE_DOMAIN,
    audience: google.pool.audience,
    subject_token_type: SUBJECT_TOKEN_TYPE,
    token_url: `${google.url}${STS_PATH}`,
    ...(impersonate && { service_account_impersonation_url: impersonationUrl(google, email) }),
    credential_source:
      subjectTokenFile === undefined
        ? {
            url: subjectTokenUrl(google.url, email),
            format: { type: 'json', subject_token_field_name: 'subject_token' },
          }
        : { file: subjectTokenFile },
    cloud_resource_manager_url: `${google.url}/v1/projects/`,
  }
}

/** The credentials of a workload that has tokens of the account made for it. */
export function impersonatedCredentials(
  google: EmulatedGoogle,
  email: string,
): ImpersonatedCredentials {
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
  google: EmulatedGoogle,
  email: string,
  { honoursTargetAudience = false }: AuthorizedUserOptions,
): AuthorizedUser {
  const client = { clientId: GCLOUD_CLIENT, clientSecret: 'emulator-client-secret' }
  return {
    type: 'authorized_user',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    refresh_token: google.logins.add({
      email: acceptEmail('email', email),
      ...client,
      honoursTargetAudience,
    }),
    token_uri: `${google.url}/token`,
    account: email,
    universe_domain: UNIVERSE_DOMAIN,
  }
}

function impersonationUrl(google: EmulatedGoogle, email: string): string {
  return `${google.url}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`
}
