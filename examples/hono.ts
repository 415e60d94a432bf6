import { Hono, type MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import {
  createVerifier,
  IdTokenError,
  type Caller,
  type RoutePolicy,
  type Verifier,
} from 'fastify-google-id-token/verifier'

export interface HonoConfig {
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
}

/** What the handlers of guarded routes find in `c.get('caller')`. */
interface Env {
  Variables: { caller: Caller | null }
}

/** The service in Hono. Close the verifier with the server. */
export function buildHono(config: HonoConfig): { app: Hono<Env>; verifier: Verifier } {
  const verifier = createVerifier({
    ...config,
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
  })
  const app = new Hono<Env>()

  app.get('/health', (c) => c.text('ok\n'))
  app.get('/hello', guard(verifier, { optional: true }), (c) =>
    c.text(`Hello, ${c.get('caller')?.email ?? 'anonymous user'}.\n`),
  )
  app.use(guard(verifier)) // every route from here on
  app.get('/profiles/:id', (c) =>
    c.json({ id: c.req.param('id'), servedFor: c.get('caller')?.email }),
  )
  app.onError((error, c) => {
    if (!(error instanceof IdTokenError)) throw error
    const { code, message, statusCode, headers } = error
    return c.json({ code, message }, statusCode as ContentfulStatusCode, headers)
  })
  return { app, verifier }
}

/** Hono keeps the request that it got in `raw`, where a header that was sent twice shows. */
function guard(verifier: Verifier, policy?: RoutePolicy): MiddlewareHandler<Env> {
  return async (c, next) => {
    c.set('caller', await verifier.authenticate(c.req, policy))
    await next()
  }
}
