import { hash } from 'node:crypto'
import { createVerifier, type Caller } from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import type { BenchServer } from '../server.ts'
import { CALLER } from '../tokens.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/**
 * What is left of a guard where a token is known: a header, a digest, a look-up, the audience, the
 * expiry and the list, in one function that knows of no second header, route, key or outcome.
 */
export const server: BenchServer = {
  start: async (jwksUri) => {
    const app = createApp()
    const { verifyAnyCaller } = createVerifier({ audience: AUDIENCE, jwksUri })
    const callers = new Map<string, Caller>()
    const allowed = new Set<unknown>([CALLER])
    app.addHook('onRequest', ({ raw: { rawHeaders } }, _reply, done) => {
      const token = (rawHeaders[1 + rawHeaders.indexOf('authorization')] ?? '').slice(7)
      const digest = hash('sha256', token, 'binary')
      const caller = callers.get(digest)
      if (caller === undefined) {
        verifyAnyCaller(token).then((verified) => {
          callers.set(digest, verified)
          done()
        }, done)
        return
      }
      const isGood =
        caller.audience === AUDIENCE &&
        caller.expiresAt > Date.now() / 1000 - 60 &&
        allowed.has(caller.email)
      done(isGood ? undefined : new Error('refused'))
    })
    return listenWithRoute(app)
  },
}
