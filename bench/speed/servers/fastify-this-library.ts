import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

export const server: BenchServer = {
  start: async (jwksUri) => {
    const app = createApp()
    await app.register(googleIdToken, { audience: AUDIENCE, allowedCallers: [CALLER], jwksUri })
    return listenWithRoute(app)
  },
}
