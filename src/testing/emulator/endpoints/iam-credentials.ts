/**
 * The Service Account Credentials API: it gives tokens of a service account to callers that may
 * create them.
 *
 * @see https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { generatedIdToken } from '../../issuer/token-sources.ts'
import { CLOUD_PLATFORM, type AccessGrant } from '../access-tokens.ts'
import type { EmulatorState } from '../emulator-state.ts'
import { GoogleApiError } from '../google-errors.ts'
import { jsonObject, protoMembers, textBody } from '../request-parameters.ts'

const IAM_SCOPES = [CLOUD_PLATFORM, 'https://www.googleapis.com/auth/iam']
const LONGEST_LIFETIME = 43_200

type Body = Readonly<Record<string, unknown>>

interface Method {
  readonly permission: string
  readonly answer: (
    google: EmulatorState,
    email: string,
    body: Body,
    request: FastifyRequest,
  ) => object | Promise<object>
}

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['generateAccessToken', { permission: 'getAccessToken', answer: generateAccessToken }],
  ['generateIdToken', { permission: 'getOpenIdToken', answer: generateIdToken }],
])

/** Serves the API, and the one method of Resource Manager that clients ask for the project's id. */
export function serveIamCredentials(app: FastifyInstance, google: EmulatorState): void {
  app.post<{ Params: { '*': string } }>('/v1/projects/*', (request) => {
    const { project, account, method } = parsePath(request.params['*'])
    const grant = authenticated(google, request)
    const body = parseBody(request)
    if (project !== '-') throw new GoogleApiError(400, 'Request contains an invalid argument.')
    const email = google.accounts.find(account)
    if (email === undefined) {
      throw new GoogleApiError(404, `Not found; Gaia id not found for email ${account}`)
    }
    authorize(google, { grant, email, permission: method.permission, delegates: body.delegates })
    return method.answer(google, email, body, request)
  })
  app.get<{ Params: { project: string } }>('/v1/projects/:project', () => ({
    projectNumber: String(google.settings.projectNumber),
    projectId: google.settings.projectId,
    lifecycleState: 'ACTIVE',
  }))
}

function parsePath(path: string): { project: string; account: string; method: Method } {
  const [, project, account, name = ''] =
    /^([^/]+)\/serviceAccounts\/([^/]+):(\w+)$/.exec(path) ?? []
  const method = METHODS.get(name)
  if (project === undefined || account === undefined || method === undefined) {
    throw new GoogleApiError(404, 'Method not found.')
  }
  return { project, account, method }
}

function authenticated(google: EmulatorState, request: FastifyRequest): AccessGrant {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  const expected =
    'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.'
  if (token === undefined) {
    throw new GoogleApiError(
      401,
      `Request is missing required authentication credential. ${expected}`,
    )
  }
  const grant = google.accessTokens.find(token)
  if (grant === undefined) {
    throw new GoogleApiError(401, `Request had invalid authentication credentials. ${expected}`)
  }
  if (!grant.scopes.some((scope) => IAM_SCOPES.includes(scope))) {
    throw new GoogleApiError(403, 'Request had insufficient authentication scopes.', {
      reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
      domain: 'googleapis.com',
      metadata: { service: 'iamcredentials.googleapis.com' },
    })
  }
  return grant
}

/** JSON, with any content type. */
function parseBody(request: FastifyRequest): Body {
  const text = textBody(request)
  const body = text === '' ? {} : jsonObject(text)
  if (body === null) throw new GoogleApiError(400, 'Invalid JSON payload received.')
  return protoMembers(body)
}

/** In the chain of delegates, each account must be allowed to create tokens of the next one. */
function authorize(
  google: EmulatorState,
  wanted: { grant: AccessGrant; email: string; permission: string; delegates: unknown },
): void {
  let { member } = wanted.grant
  const delegates = parseDelegates(google, wanted.delegates)
  const steps = [
    ...delegates.map((email) => ({ email, permission: 'implicitDelegation' })),
    { email: wanted.email, permission: wanted.permission },
  ]
  for (const step of steps) {
    if (google.tokenCreation.isDenied(step.email, member)) throw denied(step.permission)
    member = `serviceAccount:${step.email}`
  }
}

function parseDelegates(google: EmulatorState, delegates: unknown): string[] {
  return stringList(delegates ?? []).map((name) => {
    const [, account] = /^projects\/-\/serviceAccounts\/([^/]+)$/.exec(name) ?? []
    const email = account === undefined ? undefined : google.accounts.find(account)
    if (email === undefined) throw new GoogleApiError(400, 'Invalid delegate.')
    return email
  })
}

function denied(method: string): GoogleApiError {
  const permission = `iam.serviceAccounts.${method}`
  return new GoogleApiError(
    403,
    `Permission '${permission}' denied on resource (or it may not exist).`,
    { reason: 'IAM_PERMISSION_DENIED', domain: 'iam.googleapis.com', metadata: { permission } },
  )
}

function generateAccessToken({ accessTokens }: EmulatorState, email: string, body: Body): object {
  const scopes = stringList(body.scope)
  if (scopes.length === 0) throw new GoogleApiError(400, 'Scope required.')
  const lifetime = parseLifetime(body.lifetime ?? '3600s')
  const { token, expiresAt } = accessTokens.issue(`serviceAccount:${email}`, scopes, lifetime)
  const expireTime = new Date(expiresAt * 1000).toISOString().replace('.000Z', 'Z')
  return { accessToken: token, expireTime }
}

async function generateIdToken(
  google: EmulatorState,
  email: string,
  body: Body,
  request: FastifyRequest,
): Promise<object> {
  const { audience } = body
  if (typeof audience !== 'string' || audience === '') {
    throw new GoogleApiError(400, 'Audience required.')
  }
  google.log.addAudience(request, audience)
  const token = generatedIdToken(email, {
    audience,
    includeEmail: isTrue(body.includeEmail),
    useEmailAzp: isTrue(body.useEmailAzp),
    organizationNumber: isTrue(body.organizationNumberIncluded)
      ? google.settings.organizationNumber
      : undefined,
  })
  return { token: await google.idToken(token) }
}

/** In JSON, protobuf also accepts a boolean as a string, and Google's Python client sends it so. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}

/** A protobuf duration in JSON. */
function parseLifetime(value: unknown): number {
  const seconds = Number(typeof value === 'string' ? /^(\d+)s$/.exec(value)?.[1] : undefined)
  if (seconds > 0 && seconds <= LONGEST_LIFETIME) return seconds
  throw new GoogleApiError(400, 'Request contains an invalid argument.')
}

function stringList(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((entry) => typeof entry === 'string')
}
