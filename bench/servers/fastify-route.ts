import type { AddressInfo } from 'node:net'
import fastify, {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyRequest,
} from 'fastify'
import { paths, type BenchServer, type Listening } from '../server.ts'
import type { Contender } from '../contender.ts'

/** Without a logger: what is compared is what verifying adds. */
export function createApp(): FastifyInstance {
  return fastify()
}

/** Adds the route that all have, and listens on the loopback. */
export function listenWithRoute(app: FastifyInstance): Promise<Listening> {
  return listenWithRoutes(app, paths(1), () => ({}))
}

/**
 * Adds routes, and listens on the loopback.
 *
 * @param config - makes the config of a route
 */
export async function listenWithRoutes(
  app: FastifyInstance,
  urls: readonly string[],
  config: () => FastifyContextConfig,
): Promise<Listening> {
  for (const url of urls) {
    app.get(url, { config: config() }, () => ({
      servedFor: 'login@shop-prod.iam.gserviceaccount.com',
    }))
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    close: async () => {
      await app.close()
    },
  }
}

/** A contender in a hook, as its documentation would have it: the token is what follows Bearer. */
export function serverWithHook(contender: Contender): BenchServer {
  return {
    start: async (jwksUri) => {
      const app = createApp()
      const verifier = await contender.create(jwksUri)
      app.addHook('onRequest', async (request) => {
        await verifier.verify(bearerToken(request) as never)
      })
      return listenWithRoute(app)
    },
  }
}

function bearerToken({ headers }: FastifyRequest): string {
  const { authorization = '' } = headers
  if (!authorization.startsWith('Bearer ')) throw new Error('no bearer token')
  return authorization.slice(7)
}
