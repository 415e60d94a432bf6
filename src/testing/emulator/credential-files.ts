/** The credential files that Google's clients read, and what can be chosen about the emulator's. */

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
