import { hasMethod, type AccessTokenClient, type IdTokenProvider } from './parse-credentials.ts'

/** A service account that is impersonated. */
export interface ServiceAccount {
  /** Its email, or its unique id. */
  readonly email: string
  /**
   * The address of the IAM Service Account Credentials API, for Private Service Connect and for
   * tests. Default `https://iamcredentials.googleapis.com`.
   */
  readonly endpoint?: string | undefined
}

/** The part of gaxios's request and response that is used. */
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
 * `Impersonated` of google-auth-library does the same, but in version 11 it prints a warning when
 * it is created.
 *
 * @param client - asks with its own identity; it needs roles/iam.serviceAccountOpenIdTokenCreator
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

/** A client with a key needs scopes to get access tokens. One made for ID tokens has none. */
function scoped(client: AccessTokenClient): AccessTokenClient {
  if (!hasMethod(client, 'createScoped')) return client
  const { scopes } = client as { scopes?: string | readonly string[] }
  if (scopes !== undefined && scopes.length > 0) return client
  return (client.createScoped as (scope: string) => AccessTokenClient)(CLOUD_PLATFORM)
}
