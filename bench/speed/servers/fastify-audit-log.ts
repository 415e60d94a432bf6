import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/** Its few lines go nowhere: what is compared is what each request adds. */
const logger = { info: () => undefined, warn: () => undefined }

export const server: BenchServer = {
  start: async (jwksUri) => {
    const app = createApp()
    const allowedCallers = [CALLER]
    await app.register(googleIdToken, {
      audience: AUDIENCE,
      allowedCallers,
      jwksUri,
      logger,
      auditLog: true,
    })
    return listenWithRoute(app)
  },
}
