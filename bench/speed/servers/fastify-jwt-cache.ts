import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import buildGetJwks from 'get-jwks'
import { AUDIENCE, ISSUER } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/** As the documentation of get-jwks has the two together. */
export const server: BenchServer = {
  start: async (jwksUri) => {
    const { origin, pathname } = new URL(jwksUri)
    const keys = buildGetJwks({ issuersWhitelist: [origin], jwksPath: pathname })
    const app = createApp()
    await app.register(fastifyJwt, {
      decode: { complete: true },
      secret: (_request: unknown, token: TokenOrHeader) => {
        const { kid, alg } = headerOf(token)
        return keys.getPublicKey({ kid, alg, domain: origin })
      },
      verify: { algorithms: ['RS256'], allowedAud: AUDIENCE, allowedIss: ISSUER, cache: 10_000 },
    })
    app.addHook('onRequest', async (request) => {
      await request.jwtVerify()
    })
    return listenWithRoute(app)
  },
}

function headerOf(token: TokenOrHeader): { kid: string; alg: string } {
  return ('header' in token ? token.header : token) as { kid: string; alg: string }
}
