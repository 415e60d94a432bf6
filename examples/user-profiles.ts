import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import googleIdToken, { type Caller } from 'fastify-google-id-token'

export interface UserProfilesConfig {
  /** The URLs of this service, as callers put them into their tokens. */
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  /** Left out in production: the default is ten lines a minute for one kind of refusal on a route. */
  refusalLog?: 'all'
  logger: FastifyBaseLogger
}

interface NewProfile {
  name: string
}

const NEW_PROFILE = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 100 } },
}

/** `login` reads profiles, `signup` makes them, `events` pushes what has happened elsewhere. */
export async function buildUserProfiles(config: UserProfilesConfig): Promise<FastifyInstance> {
  const { logger, ...verification } = config
  const profiles = new Map([['7', { id: '7', name: 'Ada' }]])
  const app = Fastify({ loggerInstance: logger })

  await app.register(googleIdToken, {
    ...verification,
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
  })

  // The plugin's list: login.
  app.get<{ Params: { id: string } }>('/profiles/:id', (request, reply) => {
    const profile = profiles.get(request.params.id)
    if (profile === undefined) return reply.code(404).send({ message: 'No such profile' })
    return reply.send({ ...profile, servedFor: request.caller.email })
  })

  // A list of its own, which replaces the plugin's: signup, and not login.
  app.post<{ Body: NewProfile }>(
    '/profiles',
    {
      schema: { body: NEW_PROFILE },
      config: { idToken: { allowedCallers: ['signup@shop-prod.iam.gserviceaccount.com'] } },
    },
    (request, reply) => {
      const profile = { id: String(profiles.size + 7), name: request.body.name }
      profiles.set(profile.id, profile)
      return reply.code(201).send(profile)
    },
  )

  // What Pub/Sub, Cloud Tasks, Cloud Scheduler and Eventarc push: as the service account that the
  // subscription, the task, the job or the trigger names.
  app.post(
    '/events',
    { config: { idToken: { allowedCallers: ['events@shop-prod.iam.gserviceaccount.com'] } } },
    (request) => whoIs(request.caller),
  )

  // A service, and a person: spelled out, because a list of services rarely means to hold one.
  app.get(
    '/whoami',
    {
      config: {
        idToken: {
          allowedCallers: [
            'login@shop-prod.iam.gserviceaccount.com',
            { email: 'dana@example.com' },
          ],
        },
      },
    },
    (request) => whoIs(request.caller),
  )

  // Anyone without a token, and login with one: a token that is there must still be good.
  app.get('/hello', { config: { idToken: { optional: true } } }, (request) =>
    request.caller === null ? 'Hello, anonymous user.\n' : `Hello, ${request.caller.email}!\n`,
  )

  // Open: no token is read.
  app.get('/health', { config: { idToken: false } }, () => 'ok\n')

  return app
}

function whoIs({ email, header, signatureVerified }: Caller): object {
  return { email, header, signatureVerified }
}
