import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

export const server: BenchServer = {
  start: () => {
    const app = createApp()
    app.addHook('onRequest', (_request, _reply, done) => {
      done()
    })
    return listenWithRoute(app)
  },
}
