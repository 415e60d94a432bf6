import { OUTCOMES, type ChallengeError, type IdTokenErrorCode } from './outcomes.ts'

/** What a check expected and what it found: for logs, never for a response. */
export interface IdTokenErrorDetail {
  /** What would have been accepted. */
  readonly expected?: unknown
  /** What was there instead; never the token or a segment of it. */
  readonly found?: unknown
  /** Whose token it is, where the signature was verified: an email, or a unique id. */
  readonly caller?: string
  /** What the operator can do about it. */
  readonly remedy: string
}

/** What a check may tell about a refusal; see {@link IdTokenErrorDetail}. */
export interface Finding {
  expected?: unknown
  found?: unknown
  caller?: string
  /** Seconds after which the caller may try again: the `Retry-After` of a 503. */
  retryAfter?: number
}

const LONGEST_SHOWN = 256

/**
 * Why a request was refused.
 *
 * `message` goes into the response and says nothing about the token, the audience or the list;
 * `detail` is for logs and is not enumerable, so that no serializer puts it into a response.
 */
export class IdTokenError extends Error {
  static {
    this.prototype.name = 'IdTokenError'
  }
  /** A row of the outcome table. */
  readonly code: IdTokenErrorCode
  /** The HTTP status: 400, 401, 403 or 503. */
  readonly statusCode: number
  readonly #finding: Finding

  constructor(code: IdTokenErrorCode, finding: Finding = {}) {
    const { message, status } = OUTCOMES[code]
    // A refusal is an answer, not a bug: nobody reads its stack, and capturing one would make
    // refusing a forged token cost more than accepting a good one.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.statusCode = status
    this.#finding = finding
  }

  /** What was expected and what was found. */
  get detail(): IdTokenErrorDetail {
    const { remedy } = OUTCOMES[this.code]
    const finding = this.#finding
    return {
      ...('expected' in finding && { expected: finding.expected }),
      ...('found' in finding && { found: shown(finding.found) }),
      ...(finding.caller !== undefined && { caller: finding.caller }),
      remedy,
    }
  }

  /** The response headers of the refusal: `www-authenticate`, or `retry-after` with 503. */
  get headers(): Readonly<Record<string, string>> {
    const { challenge, message } = OUTCOMES[this.code]
    return responseHeaders(challenge, message, this.#finding.retryAfter)
  }
}

/** A claim or header value as a log may show it: callers choose these, so their length is bounded. */
function shown(value: unknown): unknown {
  if (typeof value === 'string' && value.length > LONGEST_SHOWN) {
    return `${value.slice(0, LONGEST_SHOWN)}… (${value.length} characters)`
  }
  return typeof value === 'object' && value !== null ? typeof value : value
}

function responseHeaders(
  challenge: ChallengeError,
  description: string,
  retryAfter: number | undefined,
): Record<string, string> {
  if (challenge === undefined) return { 'retry-after': String(retryAfter ?? 1) }
  // RFC 6750 section 3.1: no error code where the request lacks credentials of our scheme.
  if (challenge === null) return { 'www-authenticate': 'Bearer' }
  return {
    'www-authenticate': `Bearer error="${challenge}", error_description="${description}"`,
  }
}
