import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'

export interface LoginConfig {
  userProfiles: {
    url: string
    /** What user-profiles calls itself in its option `audience`. */
    audience: string
  }
  /** Gets an ID token of this service's own account for the service with this audience. */
  idToken: (audience: string) => Promise<string>
  logger: FastifyBaseLogger
}

interface Profile {
  id: string
  name: string
}

/** Open to its visitors, whom it serves by calling user-profiles as itself. */
export function buildLogin({ userProfiles, idToken, logger }: LoginConfig): FastifyInstance {
  const app = Fastify({ loggerInstance: logger })

  app.get<{ Params: { id: string } }>('/welcome/:id', async (request, reply) => {
    const response = await fetch(
      new URL(`/profiles/${encodeURIComponent(request.params.id)}`, userProfiles.url),
      { headers: await credentials(userProfiles.audience), signal: AbortSignal.timeout(5000) },
    )
    if (response.status === 404) return reply.code(404).send('Nobody of that name.\n')
    if (!response.ok) {
      request.log.error({ status: response.status }, 'user-profiles refused or failed')
      return reply.code(502).send('Come back later.\n')
    }
    const { name } = (await response.json()) as Profile
    return `Welcome, ${name}!\n`
  })

  // One token in both headers: Cloud Run's own check looks at the first and takes the signature off
  // it, and the service verifies the second.
  async function credentials(audience: string): Promise<Record<string, string>> {
    const bearer = `Bearer ${await idToken(audience)}`
    return { 'x-serverless-authorization': bearer, authorization: bearer }
  }

  return app
}
