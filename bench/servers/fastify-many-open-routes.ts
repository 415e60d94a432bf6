import { paths, type BenchServer } from '../server.ts'
import { createApp, listenWithRoutes } from './fastify-route.ts'

/** As many routes, and no guard. */
export const server: BenchServer = {
  start: (_jwksUri, count) => listenWithRoutes(createApp(), paths(count), () => ({})),
}
