import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { testCredentials } from '../helpers/client-credentials.ts'
import { federation, startGoogle } from '../helpers/google-server.ts'

t.test('google-auth-library 10', testCredentials)

t.test('a client of another copy of the library', async (t) => {
  const { GoogleAuth: GoogleAuth11 } = await import('google-auth-library-11')
  const { GoogleAuth } = await import('google-auth-library')
  t.not(GoogleAuth, GoogleAuth11)
  const google = await startGoogle(t)
  const email = 'login@shop-prod.iam.gserviceaccount.com'
  google.allow('federated', email)
  const auth = new GoogleAuth11({
    credentials: federation(google, { impersonate: email }) as object,
    projectId: 'p',
  })
  const client = createServiceClient({ url: 'https://search.run.app', auth })
  await t.resolves(client.idToken())
})
