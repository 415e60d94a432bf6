/** A plugin as @fastify/autoload finds it: the package is imported when the app has long been made. */
import fp from 'fastify-plugin'
import googleIdToken from '../../../../src/index.ts'
import { issuer } from '../../issuer.ts'

const { jwks } = issuer

export default fp(async (app) => {
  await app.register(googleIdToken, {
    audience: 'https://user-profiles-abc123-uc.a.run.app',
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
    jwks,
  })
})
