import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { createServiceClient } from 'fastify-google-id-token/client'
import type { SearchConfig } from './config.ts'

const ITEMS = new Map([['1', { item: 'desk lamp', sellerId: '7' }]])

/** Open to its visitors, whom it serves by calling user-profiles as itself. */
export function buildSearch(
  { userProfiles }: SearchConfig,
  logger: FastifyBaseLogger,
): FastifyInstance {
  const app = Fastify({ loggerInstance: logger })

  // No credentials are named: on Cloud Run, tokens are those of the service's own account.
  const profiles = createServiceClient({ ...userProfiles, logger: app.log })
  app.addHook('onClose', (_app, done) => {
    profiles.close()
    done()
  })

  app.get<{ Params: { id: string } }>('/items/:id', async (request, reply) => {
    const found = ITEMS.get(request.params.id)
    if (found === undefined) return reply.code(404).send({ message: 'No such item' })
    const response = await profiles.fetch(`/profiles/${found.sellerId}`, {
      signal: AbortSignal.timeout(5000),
    })
    if (!response.ok) {
      request.log.error({ status: response.status }, 'user-profiles refused or failed')
      return reply.code(502).send({ message: 'The seller is not known now' })
    }
    const { name } = (await response.json()) as { name: string }
    return { item: found.item, seller: name }
  })

  app.get('/health', () => 'ok\n')

  return app
}
