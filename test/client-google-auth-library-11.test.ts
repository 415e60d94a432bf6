import { register } from 'node:module'
import t from 'tap'

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) =>
      next(specifier === 'google-auth-library' ? 'google-auth-library-11' : specifier, context)
  `)}`,
)

t.test('google-auth-library 11', async (t) => {
  const [loaded, expected] = await Promise.all([
    import('google-auth-library'),
    import('google-auth-library-11'),
  ])
  t.equal(loaded.GoogleAuth, expected.GoogleAuth)
  const { testCredentials } = await import('./client-credentials.ts')
  await testCredentials(t)
})
