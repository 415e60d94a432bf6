import Fastify, {
  type FastifyBaseLogger,
  type FastifyContextConfig,
  type FastifyInstance,
} from 'fastify'
import googleIdToken, {
  type AllowedCaller,
  type GoogleIdTokenOptions,
} from 'fastify-google-id-token'

/** Lists of callers by method and route: `GET /profiles/:id`. */
export type Lists = Readonly<Record<string, readonly AllowedCaller[]>>

export interface ProfilesConfig {
  /** `null`: anyone may call, as before the rollout. */
  guard: GoogleIdTokenOptions | null
  lists: Lists
  logger: FastifyBaseLogger
}

/** The service that is called. It does not change during the rollout, its configuration does. */
export async function buildProfiles({
  guard,
  lists,
  logger,
}: ProfilesConfig): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: logger })
  if (guard !== null) await app.register(googleIdToken, guard)

  const configOf = (route: string): FastifyContextConfig => {
    const allowedCallers = lists[route]
    return allowedCallers === undefined ? {} : { idToken: { allowedCallers } }
  }
  app.get('/profiles/:id', { config: configOf('GET /profiles/:id') }, () => ({ name: 'Ada' }))
  app.post('/profiles', { config: configOf('POST /profiles') }, (_request, reply) =>
    reply.code(201).send({ name: 'Grace' }),
  )
  return app
}
