/**
 * Google's OAuth token endpoint: it gives tokens for keys of service accounts and logins of people.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keyFileToken, userToken } from '../../issuer/token-sources.ts'
import { ACCESS_TOKEN_LIFETIME, CLOUD_PLATFORM } from '../access-tokens.ts'
import type { EmulatorState } from '../emulator-state.ts'
import { OAuthError } from '../google-errors.ts'
import { verifyAssertion } from '../jwt-assertion.ts'
import { tokenParameters } from '../request-parameters.ts'

const TOKEN_PATH = '/token'
/** The path that google-auth-library 9 uses. */
const OLD_TOKEN_PATH = '/oauth2/v4/token'

/**
 * The audiences of assertions: some clients always use Google's addresses, even if they send the
 * assertion to another one.
 */
const GOOGLE_AUDIENCES = [
  'https://oauth2.googleapis.com/token',
  'https://www.googleapis.com/oauth2/v4/token',
]

type Parameters = ReadonlyMap<string, string>
type Grant = (
  google: EmulatorState,
  parameters: Parameters,
  request: FastifyRequest,
) => Promise<object>

const GRANTS: ReadonlyMap<string, Grant> = new Map([
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', exchangeAssertion],
  ['refresh_token', exchangeRefreshToken],
])

/** Serves the token endpoint. */
export function serveTokenEndpoint(app: FastifyInstance, google: EmulatorState): void {
  for (const path of [TOKEN_PATH, OLD_TOKEN_PATH]) {
    app.post(path, async (request, reply) => {
      const parameters = tokenParameters(request)
      const grantType = parameters.get('grant_type')
      const grant = GRANTS.get(grantType ?? '')
      if (grantType === undefined) throw missing('grant_type')
      if (grant === undefined) {
        throw new OAuthError('unsupported_grant_type', `Invalid grant_type: ${grantType}`)
      }
      reply.header('cache-control', 'no-cache, no-store, max-age=0, must-revalidate')
      return grant(google, parameters, request)
    })
  }
}

/** RFC 7523, with Google's `target_audience` for an ID token instead of an access token. */
async function exchangeAssertion(
  google: EmulatorState,
  parameters: Parameters,
  request: FastifyRequest,
): Promise<object> {
  const assertion = parameters.get('assertion')
  if (assertion === undefined) throw missing('assertion')
  const { email, targetAudience, scopes } = await verifyAssertion(assertion, {
    accountWithKey: (account) => google.accounts.withKey(account),
    audiences: [...GOOGLE_AUDIENCES, ...ownAudiences(google, request)],
    now: google.now(),
  })
  if (targetAudience === undefined) {
    return accessTokenAnswer(google.accessTokens.issue(`serviceAccount:${email}`, scopes).token)
  }
  google.log.addAudience(request, targetAudience)
  return { id_token: await google.idToken(keyFileToken(email, targetAudience)) }
}

/** The address of the emulator, as it knows it and as the client knows it. */
function ownAudiences({ url }: EmulatorState, request: FastifyRequest): string[] {
  return [url, `http://${request.host}`].flatMap((own) => [own, `${own}${TOKEN_PATH}`])
}

/**
 * RFC 6749 section 6. gcloud's logins have the scope `openid`, so the answer has an ID token too.
 */
async function exchangeRefreshToken(
  google: EmulatorState,
  parameters: Parameters,
  request: FastifyRequest,
): Promise<object> {
  const login = google.logins.find(parameters.get('refresh_token') ?? '')
  if (login === undefined) throw new OAuthError('invalid_grant', 'Bad Request')
  const { email, clientId, clientSecret, honoursTargetAudience } = login
  const isClient =
    parameters.get('client_id') === clientId && parameters.get('client_secret') === clientSecret
  if (!isClient) throw new OAuthError('invalid_client', 'The OAuth client was not found.', 401)
  const wanted = parameters.get('target_audience')
  const audience = honoursTargetAudience && wanted !== undefined ? wanted : clientId
  google.log.addAudience(request, audience)
  const scopes = [CLOUD_PLATFORM, 'openid', 'https://www.googleapis.com/auth/userinfo.email']
  const { token: accessToken } = google.accessTokens.issue(`user:${email}`, scopes)
  const idToken = await google.idToken(userToken(email, { audience, clientId, accessToken }))
  return { ...accessTokenAnswer(accessToken), scope: scopes.join(' '), id_token: idToken }
}

function accessTokenAnswer(token: string): object {
  return { access_token: token, expires_in: ACCESS_TOKEN_LIFETIME, token_type: 'Bearer' }
}

function missing(parameter: string): OAuthError {
  return new OAuthError('invalid_request', `Required parameter is missing: ${parameter}`)
}
