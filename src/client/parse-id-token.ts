import { decodeJwt } from 'jose'
import { isAgentIdentity } from '../errors/agent-identity.ts'
import { isBase64url } from '../token/base64url.ts'
import { ServiceClientError } from './service-client-error.ts'

/** An ID token as it was received, and the times that the client uses. */
export interface ReceivedIdToken {
  readonly token: string
  readonly audience: unknown
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Milliseconds since the epoch; `undefined` if the token does not say. */
  readonly issuedAt: number | undefined
}

/**
 * Checks that a source of tokens gave a token.
 *
 * The token becomes part of a header. `Headers` refuses a value with a line break or NUL, with an
 * error that quotes the value. So only a JWT in compact form is accepted (RFC 7515 section 7.1).
 * White space around it is common if it comes from a command or a file.
 *
 * The metadata server of a workload with an agent identity gives out the token of that identity.
 * Services that verify Google's issuer refuse it, so it is not sent.
 *
 * @throws ServiceClientError that holds no part of it
 */
export function parseIdToken(answer: unknown): ReceivedIdToken {
  const token = typeof answer === 'string' ? answer.trim() : ''
  const segments = token.split('.', 4)
  if (segments.length !== 3 || !segments.every(isBase64url)) throw notAnIdToken()
  const { aud, exp, iat, iss } = claimsOf(token)
  if (isAgentIdentity(iss)) throw ofAnAgentIdentity()
  const expiresAt = milliseconds(exp)
  if (expiresAt === undefined) throw notAnIdToken()
  return { token, audience: aud, expiresAt, issuedAt: milliseconds(iat) }
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeJwt(token)
  } catch {
    return {}
  }
}

/** NumericDate (RFC 7519 section 2). `1e999` is a number in JSON, and infinite. */
function milliseconds(date: unknown): number | undefined {
  return typeof date === 'number' && Number.isFinite(date) ? date * 1000 : undefined
}

function notAnIdToken(): ServiceClientError {
  return new ServiceClientError('SERVICE_CLIENT_TOKEN_UNAVAILABLE', {
    reason: 'the answer is not an ID token',
  })
}

function ofAnAgentIdentity(): ServiceClientError {
  return new ServiceClientError('SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED', {
    reason:
      'the answer is the token of an agent identity, whose issuer is not the one of the tokens of service accounts',
  })
}
