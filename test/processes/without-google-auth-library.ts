/** A process in which google-auth-library is not installed. */
import { register } from 'node:module'

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) =>
      next(specifier === 'google-auth-library' ? 'not-installed-library' : specifier, context)
  `)}`,
)
const { createServiceClient } = await import('../../src/client.ts')
try {
  await createServiceClient({ url: 'https://search.run.app' }).idToken()
} catch (error) {
  const { code, message } = error as { code: string; message: string }
  process.stdout.write(JSON.stringify({ code, message }))
}
