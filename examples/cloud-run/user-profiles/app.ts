import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import googleIdToken from 'fastify-google-id-token'
import type { UserProfilesConfig } from './config.ts'

interface Profile {
  name: string
}

const PROFILE = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 100 } },
}

/** Search reads profiles, and signup writes them. */
export async function buildUserProfiles(
  { project, audience, jwksUri, allowHttpHosts }: UserProfilesConfig,
  logger: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const profiles = new Map<string, Profile>([['7', { name: 'Ada' }]])
  const accountOf = (service: string): string => `${service}@${project}.iam.gserviceaccount.com`
  const app = Fastify({ loggerInstance: logger })

  await app.register(googleIdToken, {
    audience,
    allowedCallers: [accountOf('search')],
    jwksUri,
    allowHttpHosts,
  })

  app.get<{ Params: { id: string } }>('/profiles/:id', (request, reply) => {
    const profile = profiles.get(request.params.id)
    return profile ?? reply.code(404).send({ message: 'No such profile' })
  })

  app.put<{ Params: { id: string }; Body: Profile }>(
    '/profiles/:id',
    {
      schema: { body: PROFILE },
      config: { idToken: { allowedCallers: [accountOf('signup')] } },
    },
    (request) => {
      profiles.set(request.params.id, request.body)
      return request.body
    },
  )

  // For the probes of Cloud Run. A path that ends in z might never reach the container.
  app.get('/health', { config: { idToken: false } }, () => 'ok\n')

  return app
}
