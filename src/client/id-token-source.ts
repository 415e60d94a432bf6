import {
  hasMethod,
  isAccessTokenClient,
  isIdTokenProvider,
  type Credentials,
  type IdTokenProvider,
} from './parse-credentials.ts'
import { impersonatedByUrl, isFederated, withoutImpersonation } from './federated-client.ts'
import { impersonate, type ServiceAccount } from './impersonate.ts'
import { ServiceClientError } from './service-client-error.ts'

/** Gets a new ID token at each call. */
export type IdTokenSource = (audience: string) => Promise<string>

/**
 * Finds out how these credentials get ID tokens.
 *
 * google-auth-library's own `getIdTokenClient` refuses workload identity federation; here the
 * federated identity asks for an ID token of the service account that it impersonates.
 *
 * @param serviceAccount - whose ID tokens are wanted, if not those of the credentials' own account
 * @throws ServiceClientError if they can get none
 */
export async function openIdTokenSource(
  credentials: Credentials,
  serviceAccount: ServiceAccount | undefined,
): Promise<IdTokenSource> {
  const client = hasMethod(credentials, 'getClient') ? await credentials.getClient() : credentials
  const provider = await providerOf(client, serviceAccount)
  // Without the email, lists of callers by email do not match. Only impersonation leaves it out by
  // default
  // (https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken).
  return (audience) => provider.fetchIdToken(audience, { includeEmail: true })
}

async function providerOf(
  client: object,
  wanted: ServiceAccount | undefined,
): Promise<IdTokenProvider> {
  const federated = await federatedProvider(client, wanted)
  if (federated !== null) return federated
  if (wanted !== undefined && isAccessTokenClient(client)) return impersonate(client, wanted)
  // An `IdTokenClient` gets its tokens from another client.
  const { idTokenProvider } = client as { idTokenProvider?: unknown }
  const own = [client, idTokenProvider].find(isIdTokenProvider)
  if (wanted === undefined && own !== undefined) return own
  throw new ServiceClientError('SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED')
}

/** For the service account that the credentials themselves name, if that one is wanted. */
async function federatedProvider(
  client: object,
  wanted: ServiceAccount | undefined,
): Promise<IdTokenProvider | null> {
  if (!isFederated(client)) return null
  const named = impersonatedByUrl(client)
  if (named === undefined) return null
  const { email } = wanted ?? named
  if (email !== named.email) return null
  const endpoint = wanted?.endpoint ?? named.endpoint
  return impersonate(await withoutImpersonation(client), { email, endpoint })
}
