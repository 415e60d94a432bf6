import Fastify from 'fastify'
import t from 'tap'
import googleIdToken from '../../src/index.ts'
import { issuer } from '../helpers/issuer.ts'
import { audience, login } from '../helpers/shop.ts'

// RFC 6750 sections 2.2 and 2.3 describe them, and advise against both.
t.test('a token in the query, a form or a cookie is not read', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(googleIdToken, { audience, allowedCallers: [login], jwks: issuer.jwks })
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, _body, done) => {
    done(null, {})
  })
  app.route({ method: ['GET', 'POST'], url: '/', handler: () => 'served' })
  const token = await issuer.idToken({ email: login, audience })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const requests = [
    { url: `/?access_token=${token}` },
    { url: `/?authorization=Bearer%20${token}` },
    { method: 'POST', url: '/', headers: form, payload: `access_token=${token}` },
    { url: '/', headers: { cookie: `access_token=${token}; authorization=Bearer ${token}` } },
  ] as const
  for (const request of requests) {
    const { statusCode, headers, body } = await app.inject(request)
    t.equal(statusCode, 401)
    t.match(body, '"code":"ID_TOKEN_MISSING"')
    t.notMatch(headers['www-authenticate'], 'error=')
  }
})
