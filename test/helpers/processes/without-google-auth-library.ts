/** A process in which google-auth-library is something else: not installed, or broken. */
import { register } from 'node:module'

const [insteadOfIt = ''] = process.argv.slice(2)
register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => {
      if (specifier !== 'google-auth-library') return next(specifier, context)
      const url = ${JSON.stringify(insteadOfIt)}
      return url.startsWith('data:') ? { url, shortCircuit: true } : next(url, context)
    }
  `)}`,
)
const { createServiceClient } = await import('../../../src/client.ts')
try {
  await createServiceClient({ url: 'https://search.run.app' }).idToken()
} catch (error) {
  const { code, message, detail } = error as Record<string, unknown>
  process.stdout.write(JSON.stringify({ code, message, detail }))
}
