import type { PushSenders } from '../push/push-senders.ts'
import type { TestIssuer } from '../issuer/test-issuer.ts'
import type {
  AuthorizedUser,
  AuthorizedUserOptions,
  ImpersonatedCredentials,
  ServiceAccountKeyFile,
  WorkloadIdentityConfig,
  WorkloadIdentityOptions,
} from './credential-files.ts'
import type { FaultyEndpoint } from './endpoint-names.ts'
import type { Fault } from './fault.ts'
import type { LoggedRequest } from './logged-request.ts'

/** The parts of Google that ID tokens need, on one port. */
export interface GoogleEmulator {
  /** The base URL, without a slash at its end. */
  readonly url: string
  /** The keys as JWK set, for the option `jwksUri`. */
  readonly jwksUri: string
  /** The keys of Identity-Aware Proxy as JWK set, for the option `iap.jwksUri`. */
  readonly iapJwksUri: string
  /** The environment variables with which a child process uses this metadata server. */
  readonly env: Readonly<Record<string, string>>
  /** The account of the metadata server. */
  readonly serviceAccount: string
  /** A key file, whose assertions this emulator accepts. */
  readonly serviceAccountKey: (email: string) => ServiceAccountKeyFile
  /**
   * Credentials for workload identity federation: of a workload whose subject is this email. It
   * impersonates the account with this email, unless the options say otherwise.
   */
  readonly workloadIdentityConfig: (
    email: string,
    options?: WorkloadIdentityOptions,
  ) => WorkloadIdentityConfig
  /** The subject token of a workload, for a credential source that is a file. */
  readonly subjectToken: (email: string) => Promise<string>
  /** Credentials that impersonate this account. */
  readonly impersonatedCredentials: (email: string) => ImpersonatedCredentials
  /** A person's login. */
  readonly authorizedUser: (email: string, options?: AuthorizedUserOptions) => AuthorizedUser
  /**
   * A token like those of `createTestIssuer`, signed with the published key. It lasts for
   * `idTokenLifetime`, unless `expiresIn` is given.
   */
  readonly idToken: TestIssuer['idToken']
  /** An assertion of Identity-Aware Proxy as `createTestIssuer` makes them, signed with its published key. */
  readonly iapAssertion: TestIssuer['iapAssertion']
  /** What Pub/Sub, Cloud Tasks, Cloud Scheduler and Eventarc send, one request at a time. */
  readonly push: PushSenders
  /** Like `TestIssuer.rotateKeys`. */
  readonly rotateKeys: TestIssuer['rotateKeys']
  /**
   * Denies tokens of an account, as if the role were not granted: to everyone, or to one member as
   * IAM spells it. Without a denial, everyone may get the tokens of every account.
   *
   * @returns a function that allows them again
   */
  readonly denyTokenCreation: (
    email: string,
    options?: { readonly member?: string | undefined },
  ) => () => void
  /**
   * Makes an endpoint fail. If an endpoint has several faults, the latest one applies.
   *
   * @returns a function that ends the fault
   */
  readonly fault: (endpoint: FaultyEndpoint, fault: Fault) => () => void
  /** The latest requests so far, the oldest first, without their credentials. */
  readonly requests: readonly LoggedRequest[]
  /** Stops, and ends every connection. */
  readonly close: () => Promise<void>
}
