import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

export const server: BenchServer = { start: () => listenWithRoute(createApp()) }
