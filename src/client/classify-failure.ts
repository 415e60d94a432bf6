import type { ServiceClientErrorCode } from './failures.ts'
import { redactSecrets } from './redact-secrets.ts'
import { ServiceClientError } from './service-client-error.ts'

/** An answer that says no, as far as an error of google-auth-library holds one. */
interface Answer {
  readonly status: number | undefined
  /** RFC 6749 section 5.2: that of a token endpoint. */
  readonly oauthError: string | undefined
  /** What is said in words. */
  readonly text: string
  /** Where the request went. */
  readonly url: string
  /** Whether a subject token was to be exchanged (RFC 8693). */
  readonly exchange: boolean
}

/**
 * Makes of whatever google-auth-library throws an error with a code and a remedy.
 *
 * Nothing of the original is kept but its status and its redacted words: gaxios puts requests with
 * their headers, and answers with their tokens, into its errors.
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

/** google-auth-library gives these no code: NO_ADC_FOUND of GoogleAuthExceptionMessages, and so on. */
function isAboutCredentials(error: unknown): boolean {
  return (
    isBadCredentialFile(error) ||
    /Could not load the default credentials|Unable to read the credential file/.test(
      messageOf(error),
    ) ||
    ['ENOENT', 'EACCES', 'EISDIR'].includes(String(objectOf(error).code))
  )
}

/** JSON's own message quotes the file, which may be a private key. */
function isBadCredentialFile(error: unknown): error is SyntaxError {
  return error instanceof SyntaxError
}

/** Assertions and subject tokens have audiences too, and what is wrong with those is another matter. */
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
  // Of several addresses that refuse, Node says only the code.
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

/** The words of an answer: of Google's envelope, of an OAuth error, or a plain text. */
function textOf(data: unknown, candidates: readonly unknown[]): string {
  // A proxy's error page says nothing that its status does not.
  if (typeof data === 'string') return data.trimStart().startsWith('<') ? '' : data
  return candidates.map(stringOf).find((text) => text !== undefined) ?? ''
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
