/** Compiled by `npm run typecheck`, never run: what the types promise to callers of services. */
import { expectTypeOf } from 'expect-type'
import Fastify from 'fastify'
import {
  createServiceClient,
  ServiceClientError,
  type Credentials,
  type ServiceClient,
  type ServiceClientErrorCode,
  type ServiceClientOptions,
} from 'fastify-google-id-token/client'
import { serviceClients } from 'fastify-google-id-token/client/fastify'
import * as library10 from 'google-auth-library'
import * as library11 from 'google-auth-library-11'

declare module 'fastify-google-id-token/client/fastify' {
  interface ServiceClients {
    profiles: ServiceClient
  }
}

const url = 'https://user-profiles-abc123-uc.a.run.app'
const client = createServiceClient({ url })
expectTypeOf(client).toEqualTypeOf<ServiceClient>()
expectTypeOf(client.fetch('/')).resolves.toEqualTypeOf<Response>()
expectTypeOf(client.fetch(new URL(url))).resolves.toEqualTypeOf<Response>()
expectTypeOf(client.fetch(new Request(url), { method: 'PUT' })).resolves.toEqualTypeOf<Response>()
expectTypeOf(client.idToken()).resolves.toEqualTypeOf<string>()
expectTypeOf(client.headers()).resolves.toEqualTypeOf<Record<string, string>>()
expectTypeOf(client.audience).toEqualTypeOf<string>()

// It fits wherever the global fetch is asked for.
expectTypeOf(client.fetch).toExtend<typeof globalThis.fetch>()

// Credentials of either version.
const clients: Credentials[] = [
  new library10.GoogleAuth(),
  new library10.Compute(),
  new library10.JWT(),
  new library10.Impersonated(),
  new library10.UserRefreshClient(),
  new library11.GoogleAuth(),
  new library11.Compute(),
  new library11.JWT(),
  new library11.Impersonated(),
  new library11.UserRefreshClient(),
]
createServiceClient({
  url,
  auth: clients[0],
  serviceAccount: 'ci@shop-prod.iam.gserviceaccount.com',
})
declare const federated10: library10.BaseExternalAccountClient
declare const federated11: library11.BaseExternalAccountClient
declare const idToken: library11.IdTokenClient
for (const auth of [federated10, federated11, idToken]) createServiceClient({ url, auth })

declare const options: ServiceClientOptions
createServiceClient({ ...options, tokenHeaders: 'both', refreshBefore: undefined })
createServiceClient({ ...options, tokenHeaders: { twin: 'x-my-header' } })
// @ts-expect-error url is required
createServiceClient({})
// @ts-expect-error no such header
createServiceClient({ url, tokenHeaders: 'cookie' })
// @ts-expect-error the name of the twin is missing
createServiceClient({ url, tokenHeaders: {} })
// @ts-expect-error the earlier name of tokenHeaders
createServiceClient({ url, header: 'both' })
// @ts-expect-error a misspelt name
createServiceClient({ url, audiance: url })
// @ts-expect-error the content of a key file is no client
createServiceClient({ url, auth: { private_key: '' } })

declare const error: unknown
if (error instanceof ServiceClientError) {
  expectTypeOf(error.code).toEqualTypeOf<ServiceClientErrorCode>()
  expectTypeOf(error.detail.reason).toEqualTypeOf<string | undefined>()
}

const app = Fastify()
await app.register(serviceClients, { profiles: { url } })
expectTypeOf(app.serviceClients.profiles).toEqualTypeOf<ServiceClient>()
// @ts-expect-error not declared
expectTypeOf(app.serviceClients.search).toBeAny()
// @ts-expect-error each client needs its options
await app.register(serviceClients, { profiles: url })
