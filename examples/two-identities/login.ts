import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { createServiceClient, type ServiceClientOptions } from 'fastify-google-id-token/client'
import { USER_ISSUER } from './user-keys.ts'
import { verifyUser } from './verify-user.ts'

export interface LoginConfig {
  profiles: ServiceClientOptions
  /** In PEM: the key of the application that signs its users in. */
  userKey: string
}

/** Serves users, and calls profiles as itself, with the token of the user in Authorization. */
export async function buildLogin({ profiles, userKey }: LoginConfig): Promise<FastifyInstance> {
  const app = Fastify()
  const client = createServiceClient({ ...profiles, tokenHeaders: { twin: 'x-profiles-token' } })
  app.addHook('onClose', (_app, done) => {
    client.close()
    done()
  })

  await app.register(fastifyJwt, {
    secret: { public: userKey },
    verify: { algorithms: ['ES256'], allowedIss: USER_ISSUER },
  })

  app.get('/me', { onRequest: verifyUser }, async (request, reply) => {
    const { authorization = '' } = request.headers
    const response = await client.fetch('/whoami', {
      headers: { authorization },
      signal: AbortSignal.timeout(5000),
    })
    return reply.code(response.status).send(await response.json())
  })

  return app
}
