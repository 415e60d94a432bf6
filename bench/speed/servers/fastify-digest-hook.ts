import { hash } from 'node:crypto'
import fp from 'fastify-plugin'
import type { BenchServer } from '../server.ts'
import { createApp, listenWithRoute } from './fastify-route.ts'

/**
 * What every guard must do that keeps digests of tokens rather than tokens.
 *
 * It is a plugin that has fetched the keys, as every guard is. Otherwise a known token would be
 * compared with more than the guard: in Node 20, once a process has registered a plugin and called
 * `fetch`, each `process.nextTick` costs 0.25 µs more, and Node calls it ten times for a request.
 */
export const server: BenchServer = {
  start: async (jwksUri) => {
    const app = createApp()
    const served = new Set<string>()
    const plugin = fp(async (scope) => {
      const response = await fetch(jwksUri)
      await response.json()
      scope.addHook('onRequest', ({ raw: { rawHeaders } }, _reply, done) => {
        served.add(
          hash('sha256', rawHeaders[1 + rawHeaders.indexOf('authorization')] ?? '', 'binary'),
        )
        done()
      })
    })
    await app.register(plugin)
    return listenWithRoute(app)
  },
}
