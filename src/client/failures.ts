/**
 * Every way in which a call can fail before it reaches the service.
 *
 * The errors, their remedies and the documentation all use this table.
 */

interface Failure {
  /** When it happens, for the documentation. */
  when: string
  message: string
  /** What the operator can do about it. */
  remedy: string
}

/** The failure table. */
export const FAILURES = {
  SERVICE_CLIENT_LIBRARY_MISSING: {
    when: 'the credentials need `google-auth-library`, and it is not installed',
    message: 'google-auth-library is not installed',
    remedy: 'run: npm install google-auth-library',
  },
  SERVICE_CLIENT_CREDENTIALS_NOT_FOUND: {
    when: 'no application default credentials are there, or their file cannot be used',
    message: 'No usable credentials were found',
    remedy:
      'run on Google Cloud with a service account, set GOOGLE_APPLICATION_CREDENTIALS to the file of a service-account key or of workload identity federation, or pass the option auth',
  },
  SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED: {
    when: 'there are credentials, and they cannot get ID tokens by themselves: federation without a service account, a plain access token, an agent identity',
    message: 'These credentials cannot get ID tokens',
    remedy:
      'name a service account that they may impersonate in the option serviceAccount, and grant them roles/iam.serviceAccountOpenIdTokenCreator on it',
  },
  SERVICE_CLIENT_CREDENTIALS_REFUSED: {
    when: 'Google, or the identity provider, does not accept the credentials: a deleted key, a wrong clock, a subject token that has expired',
    message: 'The credentials were refused',
    remedy:
      'check that the key, the refresh token or the subject token is still valid, and the clock of this machine right',
  },
  SERVICE_CLIENT_PERMISSION_DENIED: {
    when: 'the credentials may not get ID tokens of the service account that they impersonate',
    message: 'The credentials may not get ID tokens of this service account',
    remedy:
      'grant the identity of the credentials roles/iam.serviceAccountOpenIdTokenCreator on the service account (a federated identity: roles/iam.workloadIdentityUser), and enable the IAM Service Account Credentials API',
  },
  SERVICE_CLIENT_AUDIENCE_REFUSED: {
    when: 'Google issues no ID token for this audience',
    message: 'The audience was refused',
    remedy:
      'the audience is the URL of the service, without the tag of a revision, or one of its custom audiences',
  },
  SERVICE_CLIENT_TOKEN_TIMED_OUT: {
    when: 'no ID token came within `timeout`',
    message: 'No ID token could be fetched in time',
    remedy:
      'see whether the metadata server, or Google and the identity provider, can be reached from here',
  },
  SERVICE_CLIENT_TOKEN_UNAVAILABLE: {
    when: 'an ID token could not be fetched for any other reason',
    message: 'No ID token could be fetched',
    remedy:
      'see whether the metadata server, or Google and the identity provider, can be reached from here',
  },
  SERVICE_CLIENT_URL_NOT_ALLOWED: {
    when: '`fetch` is given a URL of another origin than the client, or one with a password in it',
    message: 'This client does not call this URL',
    remedy:
      'a client calls one origin, that of its option url: make another client for another origin',
  },
  SERVICE_CLIENT_CLOSED: {
    when: 'the client has been closed',
    message: 'The service client is closed',
    remedy: 'close a client only when nothing uses it any more',
  },
} as const satisfies Record<string, Failure>

/**
 * The code of a failure. docs/client.md says when each one happens.
 *
 * @useDeclaredType
 */
export type ServiceClientErrorCode = keyof typeof FAILURES
