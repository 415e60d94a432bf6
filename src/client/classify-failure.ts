import type { ServiceClientErrorCode } from './failures.ts'
import { redactSecrets } from './redact-secrets.ts'
import { ServiceClientError } from './service-client-error.ts'

/** The refusal of a server, if an error of google-auth-library holds one. */
interface Answer {
  readonly status: number | undefined
  /** RFC 6749 section 5.2: the `error` of a token endpoint. */
  readonly oauthError: string | undefined
  /** The text of the refusal. */
  readonly text: string
  /** Where the request went. */
  readonly url: string
  /** Whether the request was to exchange a subject token (RFC 8693). */
  readonly exchange: boolean
}

/**
 * Turns anything that google-auth-library throws into an error with a code and a remedy.
 *
 * It keeps only the status and the redacted text of the original, because the errors of gaxios hold
 * requests with their headers, and answers with their tokens.
 */
export function classifyFailure(error: unknown): ServiceClientError {
  if (error instanceof ServiceClientError) return error
  const answer = answerIn(error)
  const reason = redactSecrets(answer.status === undefined ? messageOf(error) : answer.text)
  return new ServiceClientError(codeOf(error, answer), {
    ...(reason !== '' && { reason }),
    ...(answer.status !== undefined && { status: answer.status }),
  })
}

function codeOf(error: unknown, answer: Answer): ServiceClientErrorCode {
  if (answer.status === undefined) {
    return isAboutCredentials(error)
      ? 'SERVICE_CLIENT_CREDENTIALS_NOT_FOUND'
      : 'SERVICE_CLIENT_TOKEN_UNAVAILABLE'
  }
  if (answer.status === 403 && answer.url.includes('/serviceAccounts/')) {
    return 'SERVICE_CLIENT_PERMISSION_DENIED'
  }
  if (answer.status === 400 && isAboutAudience(answer)) return 'SERVICE_CLIENT_AUDIENCE_REFUSED'
  return isRefusal(answer)
    ? 'SERVICE_CLIENT_CREDENTIALS_REFUSED'
    : 'SERVICE_CLIENT_TOKEN_UNAVAILABLE'
}

/**
 * google-auth-library gives these errors no code, so their texts are compared: NO_ADC_FOUND of
 * GoogleAuthExceptionMessages, and so on.
 */
function isAboutCredentials(error: unknown): boolean {
  return (
    isBadCredentialFile(error) ||
    /Could not load the default credentials|Unable to read the credential file/.test(
      messageOf(error),
    ) ||
    ['ENOENT', 'EACCES', 'EISDIR'].includes(String(objectOf(error).code))
  )
}

/** The message of JSON.parse quotes the file, which may be a private key. */
function isBadCredentialFile(error: unknown): error is SyntaxError {
  return error instanceof SyntaxError
}

/** Assertions and subject tokens have audiences too, but a wrong one there is another failure. */
function isAboutAudience({ text, oauthError, exchange }: Answer): boolean {
  return !exchange && oauthError !== 'invalid_grant' && /audience/i.test(text)
}

function isRefusal({ status, oauthError }: Answer): boolean {
  return status === 401 || (oauthError !== undefined && (status === 400 || status === 403))
}

function messageOf(error: unknown): string {
  if (isBadCredentialFile(error)) return 'the credential file is not JSON'
  const { message, code } = objectOf(error)
  const text = stringOf(message) ?? ''
  // If several addresses refuse, Node gives only the code.
  return typeof code === 'string' && !text.includes(code) ? `${text} ${code}` : text
}

function answerIn(error: unknown): Answer {
  const { response, config } = objectOf(error)
  const { status, data } = objectOf(response)
  const sent = objectOf(config)
  const body = objectOf(data)
  const envelope = objectOf(body.error)
  return {
    status: typeof status === 'number' ? status : undefined,
    oauthError: stringOf(body.error),
    text: textOf(data, [envelope.message, body.error_description, body.error]),
    url: String(sent.url),
    exchange: sent.data instanceof URLSearchParams && sent.data.has('subject_token'),
  }
}

/** The text of an answer: from Google's envelope, from an OAuth error, or plain text. */
function textOf(data: unknown, candidates: readonly unknown[]): string {
  // The error page of a proxy says no more than its status.
  if (typeof data === 'string') return data.trimStart().startsWith('<') ? '' : data
  return candidates.map(stringOf).find((text) => text !== undefined) ?? ''
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
