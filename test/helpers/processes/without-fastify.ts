/** A process in which Fastify is something else: not installed, or broken. */
import { register } from 'node:module'

const [insteadOfIt = ''] = process.argv.slice(2)
register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => {
      if (specifier !== 'fastify') return next(specifier, context)
      const url = ${JSON.stringify(insteadOfIt)}
      if (url.startsWith('data:')) return { url, shortCircuit: true }
      throw Object.assign(new Error("Cannot find package 'fastify' imported from " + context.parentURL), {
        code: 'ERR_MODULE_NOT_FOUND',
      })
    }
  `)}`,
)
const { createTestIssuer, startCloudRunFrontend, startGoogleEmulator } =
  await import('../../../src/testing.ts')

const { jwks, idToken } = await createTestIssuer()
const audience = 'https://profiles.run.app'
const front = await startCloudRunFrontend({
  target: 'http://127.0.0.1:9',
  audience,
  jwks,
  invokers: [],
})
const headers = { authorization: `Bearer ${await idToken({ audience })}` }
const { status } = await fetch(front.url, { headers })
await front.close()
const error: unknown = await startGoogleEmulator().catch((reason: unknown) => reason)
process.stdout.write(JSON.stringify({ status, error: String(error) }))
