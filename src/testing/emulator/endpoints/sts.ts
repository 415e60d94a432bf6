/**
 * The Security Token Service: a token from outside Google becomes an access token (RFC 8693).
 *
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
import type { FastifyInstance } from 'fastify'
import { ACCESS_TOKEN_LIFETIME } from '../access-tokens.ts'
import { AWS_SUBJECT_TOKEN_TYPE } from '../aws-subject-token.ts'
import type { EmulatorState } from '../emulator-state.ts'
import { OAuthError } from '../google-errors.ts'
import { tokenParameters } from '../request-parameters.ts'
import type { WorkloadIdentityPool } from '../workload-identity-pool.ts'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** The type of the subject tokens of the provider that is not AWS; below, all types that it accepts. */
export const SUBJECT_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
const SUBJECT_TOKEN_TYPES = [SUBJECT_TOKEN_TYPE, 'urn:ietf:params:oauth:token-type:id_token']

export const STS_PATH = '/v1/token'
const SUBJECT_TOKEN_PATH = '/subject-token/'

/**
 * Serves the token exchange, and the subject tokens that a workload would get from another identity
 * provider.
 */
export function serveSts(app: FastifyInstance, google: EmulatorState): void {
  const { pool, accessTokens } = google
  app.post(STS_PATH, async (request) => {
    const { subjectToken, isOnAws, scopes } = parseExchange(tokenParameters(request), pool)
    const member = isOnAws ? pool.memberOnAws(subjectToken) : await pool.memberOf(subjectToken)
    if (member === null) {
      throw new OAuthError(
        'invalid_grant',
        'The given credential is rejected by the attribute condition or has expired.',
      )
    }
    return {
      access_token: accessTokens.issue(member, scopes).token,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_LIFETIME,
    }
  })
  app.get<{ Params: { '*': string } }>(`${SUBJECT_TOKEN_PATH}*`, async (request) => ({
    subject_token: await pool.subjectToken(request.params['*']),
  }))
}

/** Where a workload gets its subject token. */
export function subjectTokenUrl(url: string, subject: string): string {
  return `${url}${SUBJECT_TOKEN_PATH}${encodeURIComponent(subject)}`
}

function parseExchange(
  parameters: ReadonlyMap<string, string>,
  pool: WorkloadIdentityPool,
): { subjectToken: string; isOnAws: boolean; scopes: readonly string[] } {
  const parameter = (name: string, accepted?: readonly string[]): string => {
    const value = parameters.get(name) ?? ''
    if (value === '') throw new OAuthError('invalid_request', `Missing required field: ${name}.`)
    if (accepted?.includes(value) ?? true) return value
    throw new OAuthError('invalid_request', `Invalid value for "${name}".`)
  }
  if (parameter('grant_type') !== TOKEN_EXCHANGE) {
    throw new OAuthError('unsupported_grant_type', `The grant_type must be ${TOKEN_EXCHANGE}.`)
  }
  const isOnAws = parameter('audience', [pool.audience, pool.awsAudience]) === pool.awsAudience
  parameter('requested_token_type', [ACCESS_TOKEN])
  parameter('subject_token_type', isOnAws ? [AWS_SUBJECT_TOKEN_TYPE] : SUBJECT_TOKEN_TYPES)
  return {
    subjectToken: parameter('subject_token'),
    isOnAws,
    scopes: parameter('scope').split(' '),
  }
}
