import { hasMethod, type AccessTokenClient, type IdTokenProvider } from './credentials.ts'

/** A service account that is impersonated. */
export interface ServiceAccount {
  /** Its email, or its unique id. */
  readonly email: string
  /**
   * Where the IAM Service Account Credentials API is, for Private Service Connect and for tests.
   * Default `https://iamcredentials.googleapis.com`.
   */
  readonly endpoint?: string | undefined
}

/** What is sent and used of what comes, in gaxios's terms. */
interface GenerateIdToken {
  readonly url: string
  readonly method: 'POST'
  readonly data: object
  readonly retry: boolean
  readonly retryConfig: { readonly httpMethodsToRetry: readonly string[] }
}

const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'

/**
 * ID tokens of a service account that the client may impersonate.
 *
 * As google-auth-library's `Impersonated` gets them, except that version 11 prints a warning when
 * one is made.
 *
 * @param client - asks in its own name; it needs roles/iam.serviceAccountOpenIdTokenCreator
 */
export function impersonate(client: AccessTokenClient, account: ServiceAccount): IdTokenProvider {
  const source = scoped(client)
  const { universeDomain = 'googleapis.com' } = client as { universeDomain?: string }
  const endpoint = account.endpoint ?? `https://iamcredentials.${universeDomain}`
  const request = source.request.bind(source) as (
    options: GenerateIdToken,
  ) => Promise<{ data: { token: string } }>
  return {
    async fetchIdToken(audience) {
      const { data } = await request({
        url: `${endpoint}/v1/projects/-/serviceAccounts/${account.email}:generateIdToken`,
        method: 'POST',
        data: { audience, includeEmail: true, useEmailAzp: true },
        retry: true,
        retryConfig: { httpMethodsToRetry: ['POST'] },
      })
      return data.token
    },
  }
}

/** A key gets access tokens for scopes only, and for ID tokens of its own it has none. */
function scoped(client: AccessTokenClient): AccessTokenClient {
  if (!hasMethod(client, 'createScoped')) return client
  const { scopes } = client as { scopes?: string | readonly string[] }
  if (scopes !== undefined && scopes.length > 0) return client
  return (client.createScoped as (scope: string) => AccessTokenClient)(CLOUD_PLATFORM)
}
