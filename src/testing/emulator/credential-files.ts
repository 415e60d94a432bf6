/** The credential files that Google's clients read, and the options for those of the emulator. */

/** A service account's key, as `gcloud iam service-accounts keys create` writes it. */
export interface ServiceAccountKeyFile {
  /** The kind of the file. */
  readonly type: 'service_account'
  /** The project of the account. */
  readonly project_id: string
  /** The `kid` of the key. */
  readonly private_key_id: string
  /** The private key, PKCS #8 in PEM. */
  readonly private_key: string
  /** The email of the account. */
  readonly client_email: string
  /** The unique id of the account. */
  readonly client_id: string
  /** The authorization endpoint. */
  readonly auth_uri: string
  /** Where a signed JWT is exchanged for a token. */
  readonly token_uri: string
  /** The certificates of Google's keys. */
  readonly auth_provider_x509_cert_url: string
  /** The certificates of the account's keys. */
  readonly client_x509_cert_url: string
  /** The domain that the APIs are under. */
  readonly universe_domain: string
}

/** A workload outside Google, as `gcloud iam workload-identity-pools create-cred-config` writes it. */
export interface WorkloadIdentityConfig {
  /** The kind of the file. */
  readonly type: 'external_account'
  /** The domain that the APIs are under. */
  readonly universe_domain: string
  /** The provider, as the full name of its resource. */
  readonly audience: string
  /** The kind of the subject token, as RFC 8693 names it. */
  readonly subject_token_type: string
  /** Where the subject token is exchanged (RFC 8693). */
  readonly token_url: string
  /** Where the client becomes the service account; missing where it does not. */
  readonly service_account_impersonation_url?: string
  /** Where the subject token is: in a file, in an answer with JSON, or made with the keys of AWS. */
  readonly credential_source:
    | {
        /** The path of a file that holds the token and nothing else. */
        readonly file: string
      }
    | {
        /** Where the token is fetched. */
        readonly url: string
        /** What the answer looks like. */
        readonly format: {
          /** The answer is JSON. */
          readonly type: 'json'
          /** The member that holds the token. */
          readonly subject_token_field_name: string
        }
      }
    | {
        /** The keys are those of AWS, from its environment variables. */
        readonly environment_id: 'aws1'
        /** The request to AWS that the client signs and that Google sends. */
        readonly regional_cred_verification_url: string
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
  /**
   * Whether the workload is on AWS: the client signs a request with the keys in `AWS_ACCESS_KEY_ID` and
   * `AWS_SECRET_ACCESS_KEY`, for the region in `AWS_REGION`. The emulator accepts every key. Default
   * `false`.
   */
  readonly aws?: boolean | undefined
}

/** Impersonation, as `gcloud auth application-default login --impersonate-service-account` writes it. */
export interface ImpersonatedCredentials {
  /** The kind of the file. */
  readonly type: 'impersonated_service_account'
  /** The domain that the APIs are under. */
  readonly universe_domain: string
  /** Where the client becomes the service account. */
  readonly service_account_impersonation_url: string
  /** The accounts between the two; none here. */
  readonly delegates: readonly string[]
  /** The credentials that impersonate. */
  readonly source_credentials: WorkloadIdentityConfig
  /** Not a part of the format. google-auth-library uses it; otherwise it would ask Google. */
  readonly endpoint: string
}

/** A person's login, as `gcloud auth application-default login` writes it. */
export interface AuthorizedUser {
  /** The kind of the file. */
  readonly type: 'authorized_user'
  /** The OAuth client of the login. */
  readonly client_id: string
  /** The secret of that client. */
  readonly client_secret: string
  /** What is exchanged for tokens. */
  readonly refresh_token: string
  /** Where it is exchanged. */
  readonly token_uri: string
  /** The email of the person. */
  readonly account: string
  /** The domain that the APIs are under. */
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
