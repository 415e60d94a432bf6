import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import googleIdToken from 'fastify-google-id-token'
import { USER_ISSUER } from './user-keys.ts'
import { verifyUser } from './verify-user.ts'

export interface ProfilesConfig {
  /** The URLs of this service, as callers put them into their tokens. */
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  /** In PEM: the key of the application that signs its users in. */
  userKey: string
}

/** Two identities in one request: which service calls, and for which user. */
export async function buildProfiles(config: ProfilesConfig): Promise<FastifyInstance> {
  const { userKey, ...verification } = config
  const app = Fastify()

  // The service. Its token is in X-Serverless-Authorization, where Cloud Run checks it and removes the
  // signature; an intact copy is in the header that twinHeader names. Authorization stays free.
  await app.register(googleIdToken, {
    ...verification,
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
    twinHeader: 'x-profiles-token',
  })

  // The user, in Authorization.
  await app.register(fastifyJwt, {
    secret: { public: userKey },
    verify: { algorithms: ['ES256'], allowedIss: USER_ISSUER },
  })

  app.get('/whoami', { onRequest: verifyUser }, ({ caller, user }) => ({
    email: caller.email,
    header: caller.header,
    signatureVerified: caller.signatureVerified,
    user: user.sub,
  }))

  return app
}
