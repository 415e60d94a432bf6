import {
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  type Client,
} from '@a2a-js/sdk/client'
import { createServiceClient, type ServiceClientOptions } from 'fastify-google-id-token/client'

/** An A2A client that calls as this service. */
export interface A2aConnection {
  agent: Client
  close: () => void
}

/** Reads the agent card of another service, and calls its agent, with an ID token in each request. */
export async function connectA2a(service: ServiceClientOptions): Promise<A2aConnection> {
  const { fetch, close } = createServiceClient(service)
  const factory = new ClientFactory(
    ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
      cardResolver: new DefaultAgentCardResolver({ fetchImpl: fetch }),
      transports: [new JsonRpcTransportFactory({ fetchImpl: fetch })],
    }),
  )
  return { agent: await factory.createFromUrl(service.url), close }
}
