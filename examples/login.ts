import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { ServiceClient } from 'fastify-google-id-token/client'
import { serviceClients } from 'fastify-google-id-token/client/fastify'

declare module 'fastify-google-id-token/client/fastify' {
  interface ServiceClients {
    userProfiles: ServiceClient
  }
}

export interface LoginConfig {
  userProfiles: {
    url: string
    /** Left out in production: the default is the URL. */
    audience?: string
  }
  logger: FastifyBaseLogger
}

interface Profile {
  id: string
  name: string
}

/** Open to its visitors, whom it serves by calling user-profiles as itself. */
export async function buildLogin({ userProfiles, logger }: LoginConfig): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: logger })

  // No credentials are named: on Cloud Run, tokens are those of the service's own account.
  await app.register(serviceClients, { userProfiles })

  app.get<{ Params: { id: string } }>('/welcome/:id', async (request, reply) => {
    const response = await app.serviceClients.userProfiles.fetch(
      `/profiles/${encodeURIComponent(request.params.id)}`,
      { signal: AbortSignal.timeout(5000) },
    )
    if (response.status === 404) return reply.code(404).send('Nobody of that name.\n')
    if (!response.ok) {
      request.log.error({ status: response.status }, 'user-profiles refused or failed')
      return reply.code(502).send('Come back later.\n')
    }
    const { name } = (await response.json()) as Profile
    return `Welcome, ${name}!\n`
  })

  return app
}
