import { generateKeyPairSync, type KeyPairSyncResult } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { createServiceClient, type ServiceClientOptions } from 'fastify-google-id-token/client'
import { verifyUser } from './verify-user.ts'

export interface LoginConfig {
  profiles: ServiceClientOptions
  /** In PEM. */
  userKeys: KeyPairSyncResult<string, string>
}

/** Signs users in, and calls profiles as itself, with the token of the user in Authorization. */
export async function buildLogin({ profiles, userKeys }: LoginConfig): Promise<FastifyInstance> {
  const app = Fastify()
  const client = createServiceClient({ ...profiles, tokenHeaders: { twin: 'x-profiles-token' } })
  app.addHook('onClose', (_app, done) => {
    client.close()
    done()
  })

  await app.register(fastifyJwt, {
    secret: { private: userKeys.privateKey, public: userKeys.publicKey },
    sign: { algorithm: 'ES256', iss: 'https://shop.example', expiresIn: '15m' },
    verify: { algorithms: ['ES256'], allowedIss: 'https://shop.example' },
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

/** The keys with which the application signs the tokens of its users. */
export function createUserKeys(): KeyPairSyncResult<string, string> {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
