import '../../helpers/load-google-auth-library-11.ts'
import t from 'tap'

t.test('google-auth-library 11', async (t) => {
  const [loaded, expected] = await Promise.all([
    import('google-auth-library'),
    import('google-auth-library-11'),
  ])
  t.equal(loaded.GoogleAuth, expected.GoogleAuth)
  const { testCredentials } = await import('../../helpers/client-credentials.ts')
  await testCredentials(t)
})
