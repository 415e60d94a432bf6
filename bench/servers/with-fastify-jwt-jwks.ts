import { fastifyJwtJwks } from 'fastify-jwt-jwks'
import fp from 'fastify-plugin'
import { AUDIENCE, ISSUER } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/** Its options go on to fast-jwt, whose cache is off unless asked for. */
export function serverWithFastifyJwtJwks(caching: { cache?: number }): BenchServer {
  return {
    start: async (jwksUrl) => {
      const app = createApp()
      await app.register(fp(fastifyJwtJwks), {
        jwksUrl,
        audience: AUDIENCE,
        issuer: ISSUER,
        ...caching,
      })
      app.addHook('onRequest', (request) => app.authenticate(request))
      return listenWithRoute(app)
    },
  }
}
