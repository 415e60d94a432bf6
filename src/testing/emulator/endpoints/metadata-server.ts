/**
 * The metadata server of a service or a virtual machine.
 *
 * @see https://cloud.google.com/compute/docs/metadata/querying-metadata
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { metadataToken } from '../../issuer/token-sources.ts'
import { ACCESS_TOKEN_LIFETIME, CLOUD_PLATFORM } from '../access-tokens.ts'
import type { EmulatorState } from '../emulator-state.ts'
import {
  asJson,
  asRecursiveText,
  asText,
  computeEngineClaim,
  entryAt,
  isDirectory,
  listed,
  metadataTree,
  type MetadataEntry,
} from '../metadata-tree.ts'
import { queryOf } from '../request-parameters.ts'

const TEXT = 'application/text'
const JSON_TYPE = 'application/json'

type AccountRequest = FastifyRequest<{ Params: { account: string } }>

/** Serves the metadata of the emulator's default account. */
export function serveMetadata(app: FastifyInstance, google: EmulatorState): void {
  const tree = metadataTree(google.settings)
  const computeEngine = computeEngineClaim(google.settings, google.now())
  const email = google.settings.serviceAccount

  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'metadata-flavor': 'Google', server: 'Metadata Server for VM' })
  })
  app.addHook('onRequest', refuseOtherThanMetadataClients)

  const account = '/computeMetadata/v1/instance/service-accounts/:account'
  const isAttached = (request: AccountRequest): boolean =>
    ['default', email].includes(request.params.account)

  app.get(`${account}/identity`, async (request: AccountRequest, reply) => {
    if (!isAttached(request)) return notFound(reply)
    const query = queryOf(request)
    const audience = query.get('audience') ?? ''
    if (audience === '') {
      return reply.code(400).type(TEXT).send('non-empty audience parameter required')
    }
    google.log.addAudience(request, audience)
    const format = {
      full: query.get('format') === 'full',
      licenses: query.get('licenses')?.toUpperCase() === 'TRUE',
      computeEngine,
    }
    const token = await google.idToken(metadataToken(email, audience, format))
    return reply.type('text/html').send(token)
  })
  app.get(`${account}/token`, (request: AccountRequest, reply) => {
    if (!isAttached(request)) return notFound(reply)
    const scopes = (queryOf(request).get('scopes') ?? CLOUD_PLATFORM).split(/[ ,]/)
    const { token } = google.accessTokens.issue(`serviceAccount:${email}`, scopes)
    return reply
      .type(JSON_TYPE)
      .send({ access_token: token, expires_in: ACCESS_TOKEN_LIFETIME, token_type: 'Bearer' })
  })
  for (const path of ['/', '/computeMetadata', '/computeMetadata/*']) {
    app.get(path, (request, reply) => answerFrom(tree, request, reply))
  }
}

/**
 * Refuses requests with a header that only a forwarded or forged request has, and requests without
 * the header that a browser cannot set.
 */
async function refuseOtherThanMetadataClients(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (request.headers['x-forwarded-for'] !== undefined) {
    await reply.code(403).type(TEXT).send('Forbidden: the request has the header X-Forwarded-For')
    return
  }
  const isOpen = !request.url.startsWith('/computeMetadata/v1')
  if (!isOpen && request.headers['metadata-flavor'] !== 'Google') {
    await reply.code(403).type(TEXT).send('Missing required header "Metadata-Flavor": "Google"')
  }
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type(TEXT).send('Not found')
}

function answerFrom(
  tree: ReturnType<typeof metadataTree>,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const [path = '', query] = request.url.split(/\?(.*)/s)
  const names = decodeURIComponent(path).split('/').slice(1)
  const asDirectory = names.at(-1) === ''
  if (asDirectory) names.pop()
  const entry = entryAt(tree, names)
  if (entry === undefined || entry === null || (asDirectory && !isDirectory(entry))) {
    return notFound(reply)
  }
  if (isDirectory(entry) && !asDirectory) {
    return reply.redirect(`${path}/${query === undefined ? '' : `?${query}`}`, 301)
  }
  return sendEntry(reply, entry, queryOf(request))
}

/** As text, or with `recursive=true` as JSON, unless `alt` names the format. */
function sendEntry(
  reply: FastifyReply,
  entry: Exclude<MetadataEntry, null>,
  query: URLSearchParams,
): FastifyReply {
  const recursive = query.get('recursive')?.toLowerCase() === 'true'
  const alternative = query.get('alt') ?? (recursive ? 'json' : 'text')
  if (alternative === 'json') {
    return reply.type(JSON_TYPE).send(JSON.stringify(recursive ? asJson(entry) : listed(entry)))
  }
  return reply.type(TEXT).send(recursive ? asRecursiveText(entry) : asText(entry))
}
