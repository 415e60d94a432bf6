import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import googleIdToken from 'fastify-google-id-token'

export interface SearchConfig {
  /** The URLs of this service, as callers put them into their tokens. */
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  logger: FastifyBaseLogger
}

const ITEMS = ['desk lamp', 'floor lamp', 'office chair']

/** Only `web` searches. `login` is in no list here, so it is refused, however good its token. */
export async function buildSearch(config: SearchConfig): Promise<FastifyInstance> {
  const { logger, ...verification } = config
  const app = Fastify({ loggerInstance: logger })

  await app.register(googleIdToken, {
    ...verification,
    allowedCallers: ['web@shop-prod.iam.gserviceaccount.com'],
  })

  app.get<{ Querystring: { q?: string } }>('/items', ({ query: { q = '' } }) =>
    ITEMS.filter((item) => item.includes(q)),
  )

  return app
}
