import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import { paths, type BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { createApp, listenWithRoutes } from './fastify-route.ts'

/** So many routes, each with a list of its own. */
export const server: BenchServer = {
  start: async (jwksUri, count) => {
    const app = createApp()
    await app.register(googleIdToken, { audience: AUDIENCE, jwksUri })
    return listenWithRoutes(app, paths(count), () => ({ idToken: { allowedCallers: [CALLER] } }))
  },
}
