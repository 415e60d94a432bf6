import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/** The list is so many callers long, and the one who calls is its last. */
export const server: BenchServer = {
  start: async (jwksUri, count) => {
    const others = Array.from(
      { length: count - 1 },
      (_, i) => `caller-${i}@shop-prod.iam.gserviceaccount.com`,
    )
    const app = createApp()
    await app.register(googleIdToken, {
      audience: AUDIENCE,
      allowedCallers: [...others, CALLER],
      jwksUri,
    })
    return listenWithRoute(app)
  },
}
