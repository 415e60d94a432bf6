import express, { type ErrorRequestHandler, type Express } from 'express'
import { googleIdToken, IdTokenError, type Logger } from 'fastify-google-id-token/express'

export interface ExpressConfig {
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  logger: Logger
}

/** The service in Express 5. `close()` goes with the closing of its server. */
export function buildExpress(config: ExpressConfig): { app: Express; close: () => void } {
  const auth = googleIdToken({
    ...config,
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
  })
  const app = express()
  app.get('/hello', auth.optional(), (req, res) => {
    res.send(`Hello, ${req.caller?.email ?? 'anonymous user'}.\n`)
  })
  app.use(auth) // every route from here on
  app.get('/profiles/:id', (req, res) => {
    res.json({ id: req.params.id, servedFor: req.caller?.email })
  })
  app.use(answerRefusal)
  return { app, close: auth.verifier.close }
}

/** The challenge is on the response already; without this, Express answers with a page of HTML. */
export const answerRefusal: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof IdTokenError)) {
    next(error)
    return
  }
  res.status(error.statusCode).json({ code: error.code, message: error.message })
}
