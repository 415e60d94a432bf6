import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import type { Express } from 'express'
import type { Listening } from '../server.ts'

/** Adds the route that all have, and listens on the loopback. */
export function listenWithRoute(app: Express): Promise<Listening> {
  app.get('/', (_req, res) => {
    res.json({ servedFor: 'login@shop-prod.iam.gserviceaccount.com' })
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => {
      // As Fastify's: a connection waits while the other servers have their turns.
      server.keepAliveTimeout = 72_000
      resolve({
        port: (server.address() as AddressInfo).port,
        close: async () => {
          server.closeAllConnections()
          await promisify(server.close.bind(server))()
        },
      })
    })
  })
}
