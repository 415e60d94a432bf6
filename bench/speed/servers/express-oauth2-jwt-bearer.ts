import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { AUDIENCE, ISSUER } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { listenWithRoute } from './express-route.ts'

export const server: BenchServer = {
  start: (jwksUri) => {
    const app = express()
    app.use(auth({ audience: AUDIENCE, issuer: ISSUER, jwksUri, tokenSigningAlg: 'RS256' }))
    return listenWithRoute(app)
  },
}
