import { fastifyJwtJwks } from 'fastify-jwt-jwks'
import fp from 'fastify-plugin'
import { AUDIENCE, ISSUER } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/** Its options go on to fast-jwt, which its types do not tell of. */
const CACHING = { cache: 10_000 }

export const server: BenchServer = {
  start: async (jwksUrl) => {
    const app = createApp()
    await app.register(fp(fastifyJwtJwks), {
      jwksUrl,
      audience: AUDIENCE,
      issuer: ISSUER,
      ...CACHING,
    })
    app.addHook('onRequest', (request) => app.authenticate(request))
    return listenWithRoute(app)
  },
}
