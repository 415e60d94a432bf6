import type { BaseExternalAccountClientOptions } from 'google-auth-library'
import type { AccessTokenClient } from './parse-credentials.ts'
import { hasMethod } from './parse-credentials.ts'
import { loadGoogleAuthLibrary } from './google-auth-library.ts'
import type { ServiceAccount } from './impersonate.ts'
import { ServiceClientError } from './service-client-error.ts'

/** A client of workload identity federation, google-auth-library's `BaseExternalAccountClient`. */
export interface FederatedClient extends AccessTokenClient {
  getServiceAccountEmail: () => string | null
  retrieveSubjectToken: () => Promise<string>
}

/** Properties of such a client that its type does not declare as public. */
interface FederatedState {
  readonly serviceAccountImpersonationUrl: string
  readonly audience: string
  readonly subjectTokenType: string
  readonly workforcePoolUserProject?: string
  readonly universeDomain: string
  readonly credentialSourceType?: string
  readonly clientAuth?: object
  readonly stsCredential: object
  readonly transporter: object
}

/** Whether it is a client of workload identity federation, of any copy of the library. */
export function isFederated(client: unknown): client is FederatedClient {
  return hasMethod(client, 'getServiceAccountEmail') && hasMethod(client, 'retrieveSubjectToken')
}

/** The service account that its `service_account_impersonation_url` names, if it has one. */
export function impersonatedByUrl(client: FederatedClient): ServiceAccount | undefined {
  const email = client.getServiceAccountEmail()
  if (email === null) return undefined
  const { serviceAccountImpersonationUrl: url } = stateOf(client)
  // The URL in the credentials names the host for access tokens. The ID token is requested from the
  // same host.
  return { email, endpoint: /^(.+?)\/v1\/projects\//.exec(url)?.[1] }
}

/**
 * The federated identity behind a client that impersonates.
 *
 * The client itself would ask as the service account, which would then need a role on itself. So
 * this is a second client, without an impersonation url. It takes its subject tokens from the first
 * one.
 */
export async function withoutImpersonation(client: FederatedClient): Promise<AccessTokenClient> {
  const { BaseExternalAccountClient } = await loadGoogleAuthLibrary()
  class FederatedIdentity extends BaseExternalAccountClient {
    override async retrieveSubjectToken(): Promise<string> {
      const subjectToken = await client.retrieveSubjectToken()
      // With certificates (X.509), that call has just replaced these objects.
      const { stsCredential, clientAuth, transporter, credentialSourceType } = stateOf(client)
      Object.assign(this, { stsCredential, clientAuth, transporter, credentialSourceType })
      return subjectToken
    }
  }
  const state = stateOf(client)
  return new FederatedIdentity({
    type: 'external_account',
    audience: state.audience,
    subject_token_type: state.subjectTokenType,
    workforce_pool_user_project: state.workforcePoolUserProject,
    universe_domain: state.universeDomain,
  } as BaseExternalAccountClientOptions)
}

function stateOf(client: FederatedClient): FederatedState {
  const state = client as unknown as FederatedState
  const { serviceAccountImpersonationUrl: url, audience, subjectTokenType, stsCredential } = state
  const known =
    typeof url === 'string' && [audience, subjectTokenType].every((one) => typeof one === 'string')
  if (known && typeof stsCredential === 'object') return state
  // The library is not like versions 10 and 11.
  throw new ServiceClientError('SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED', {
    reason:
      'this version of google-auth-library hides what is behind service_account_impersonation_url: leave that out of the credentials, and name the account in the option serviceAccount',
  })
}
