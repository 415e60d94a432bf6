import Fastify from 'fastify'
import t from 'tap'
import googleIdToken from '../src/index.ts'
import { createTestIssuer } from '../src/testing.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const email = 'login@shop-prod.iam.gserviceaccount.com'

t.test('a guarded route answers its caller', async (t) => {
  const issuer = await createTestIssuer()
  const app = Fastify()
  app.register(googleIdToken, { audience, allowedCallers: [email], jwks: issuer.jwks })
  app.get('/', (request) => request.caller.email)
  const authorization = `Bearer ${await issuer.idToken({ email, audience })}`
  const response = await app.inject({ url: '/', headers: { authorization } })
  t.equal(response.body, email)
  t.equal((await app.inject('/')).statusCode, 401)
})
