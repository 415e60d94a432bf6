import type { FastifyPluginCallback } from 'fastify'
import fp from 'fastify-plugin'
import { createServiceClient, type ServiceClient } from '../create-service-client.ts'
import type { ServiceClientOptions } from '../service-client-options.ts'

/**
 * The clients of an app, by name. Declare yours by merging:
 *
 * ```ts
 * declare module 'fastify-google-id-token/client/fastify' {
 *   interface ServiceClients {
 *     profiles: ServiceClient
 *   }
 * }
 * ```
 */
export interface ServiceClients {}

/** The options of each client, by name. */
export type ServiceClientsOptions = Readonly<Record<string, ServiceClientOptions>>

declare module 'fastify' {
  interface FastifyInstance {
    /** Calls other services with Google-signed ID tokens. */
    serviceClients: ServiceClients
  }
}

const plugin: FastifyPluginCallback<ServiceClientsOptions> = (app, options, done) => {
  try {
    const clients: Record<string, ServiceClient> = {}
    for (const [name, one] of Object.entries(options)) {
      clients[name] = createServiceClient({
        logger: app.log.child({ serviceClient: name }),
        ...one,
      })
    }
    // The names are those that the application has declared.
    app.decorate('serviceClients', Object.freeze(clients) as object as ServiceClients)
    app.addHook('onClose', (_app, closed) => {
      for (const client of Object.values(clients)) client.close()
      closed()
    })
  } catch (error) {
    // Nobody catches what a plugin throws, so a thrown error would end the process.
    done(error as Error)
    return
  }
  done()
}

/**
 * A Fastify plugin: `app.serviceClients`, with a client for each name in the options. They use the
 * app's logger and are closed with the app.
 */
export const serviceClients = fp(plugin, {
  fastify: '^5.0.0 || ^6.0.0-alpha.4',
  name: 'fastify-google-id-token/client',
})
