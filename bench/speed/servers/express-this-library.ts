import express from 'express'
import { googleIdToken } from 'fastify-google-id-token/express'
import { AUDIENCE } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { listenWithRoute } from './express-route.ts'

export const server: BenchServer = {
  start: (jwksUri) => {
    const app = express()
    app.use(googleIdToken({ audience: AUDIENCE, allowedCallers: [CALLER], jwksUri }))
    return listenWithRoute(app)
  },
}
