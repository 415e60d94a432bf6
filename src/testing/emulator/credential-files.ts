/** The credential files that Google's clients read, and the options for those of the emulator. */

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
  /** google-auth-library asks this address for the project's id. */
  readonly cloud_resource_manager_url: string
}

/** Options for the credentials of a workload. */
export interface WorkloadIdentityOptions {
  /** Whether the client impersonates the service account. Default `true`. */
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
  /** Not a part of the format. google-auth-library uses it; otherwise it would ask Google. */
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

/** Options for a login. */
export interface AuthorizedUserOptions {
  /**
   * Whether ID tokens are for the requested audience. There is no report that Google's are: their
   * `aud` is the OAuth client. Default `false`.
   */
  readonly honoursTargetAudience?: boolean | undefined
}
