import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { BenchServer, Listening } from '../server.ts'
import type { Contender } from '../contender.ts'

/** Without a logger: what is compared is what verifying adds. */
export function createApp(): FastifyInstance {
  return fastify()
}

/** Adds the route that all have, and listens on the loopback. */
export async function listenWithRoute(app: FastifyInstance): Promise<Listening> {
  app.get('/', () => ({ servedFor: 'login@shop-prod.iam.gserviceaccount.com' }))
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
        await verifier.verify(bearerToken(request))
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
