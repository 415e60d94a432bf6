import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { createTestIssuer } from 'fastify-google-id-token/testing'

interface TokenQuery {
  audience: string
  email?: string
  expiresIn?: number
}

const TOKEN_QUERY = {
  type: 'object',
  required: ['audience'],
  additionalProperties: false,
  properties: {
    audience: { type: 'string', minLength: 1 },
    email: { type: 'string', minLength: 1 },
    expiresIn: { type: 'integer' },
  },
}

/**
 * Stands in for Google: publishes keys where Google has them, and gives a token to whoever asks.
 *
 * Therefore it listens on loopback only, and its keys are worth nothing to any other service.
 */
export async function startLocalIssuer(logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const issuer = await createTestIssuer()
  const app = Fastify({ loggerInstance: logger })

  app.get('/oauth2/v3/certs', (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=23641, must-revalidate, no-transform')
      .send(issuer.jwks),
  )

  app.get<{ Querystring: TokenQuery }>(
    '/token',
    { schema: { querystring: TOKEN_QUERY } },
    ({ query }) => issuer.idToken(query),
  )

  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}
