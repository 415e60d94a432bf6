/**
 * Call services on Google Cloud with Google-signed ID tokens.
 *
 * @module fastify-google-id-token/client
 */
export { createServiceClient } from './client/create-service-client.ts'
export type { ServiceClient } from './client/create-service-client.ts'
export type {
  AccessTokenClient,
  Credentials,
  CredentialsFinder,
  IdTokenProvider,
} from './client/parse-credentials.ts'
export type { ServiceClientErrorCode } from './client/failures.ts'
export type { ServiceAccount } from './client/impersonate.ts'
export { ServiceClientError } from './client/service-client-error.ts'
export type { ServiceClientErrorDetail } from './client/service-client-error.ts'
export type { ServiceClientOptions, TokenHeaders } from './client/service-client-options.ts'
export type { Logger } from './checks/injected.ts'
