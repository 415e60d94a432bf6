import { oneLine, oneLineText } from './one-line.ts'
import { OUTCOMES, type IdTokenErrorCode } from './outcomes.ts'
import { remedyFor, type Evidence } from './recognised-mistakes.ts'
import { withoutStack } from './without-stack.ts'

/** What a check expected and what it found: for logs, never for a response. */
export interface IdTokenErrorDetail {
  /** What would have been accepted. */
  readonly expected?: unknown
  /** What was there instead; never the token or a segment of it. */
  readonly found?: unknown
  /**
   * Whose token it is (an email, or a unique id), if the signature was verified and a claim was
   * refused. If the list refused the caller, `found` says it.
   */
  readonly caller?: string
  /** What the operator can do about it. */
  readonly remedy: string
}

/**
 * What a check may tell about a refusal; see {@link IdTokenErrorDetail}. A function is called only
 * when the detail is read, so that a refusal that nobody logs costs nothing to describe.
 */
export interface Finding {
  expected?: unknown
  found?: unknown
  caller?: string | undefined
  /** The same account, for records of who calls; only if the signature was verified. */
  account?: VerifiedAccount | undefined
  /** What the token says about itself; it helps to recognise a common mistake. */
  evidence?: (() => Evidence) | undefined
  /** Seconds after which the caller may try again: the `Retry-After` of a 503. */
  retryAfter?: number
}

/** The account that a refused token is of, as Google signed it. */
export interface VerifiedAccount {
  readonly email: string | undefined
  readonly subject: string
}

/** The `realm` of a challenge, if the option `realm` names no other one. */
export const DEFAULT_REALM = 'fastify-google-id-token'

let setRealm: (error: IdTokenError, realm: string) => void
let readAccount: (error: IdTokenError) => VerifiedAccount | null

/** Sets the realm of a refusal's challenge. The check that refuses does not know it. */
export function nameRealm(error: IdTokenError, realm: string): void {
  setRealm(error, realm)
}

/** Whose token was refused; `null` if its signature was not verified. */
export function refusedAccount(error: IdTokenError): VerifiedAccount | null {
  return readAccount(error)
}

/**
 * Why a request was refused.
 *
 * `message` goes into the response and says nothing about the token, the audience or the list;
 * `detail` is for logs and is not enumerable, so that no serializer puts it into a response.
 */
export class IdTokenError extends Error {
  static {
    setRealm = (error, realm) => {
      error.#realm = realm
    }
    readAccount = (error) => error.#finding.account ?? null
    // Defined rather than assigned: assigning fails where `Error.prototype` is frozen.
    Object.defineProperty(this.prototype, 'name', { value: 'IdTokenError', configurable: true })
  }
  /** A row of the outcome table. */
  readonly code: IdTokenErrorCode
  /** The HTTP status: 400, 401, 403 or 503. */
  readonly statusCode: number
  readonly #finding: Finding
  #realm = DEFAULT_REALM

  /** @internal Only this package creates these errors; other code only reads them. */
  constructor(code: IdTokenErrorCode, finding: Finding = {}) {
    const { message, status } = OUTCOMES[code]
    super(message)
    this.code = code
    this.statusCode = status
    this.#finding = finding
  }

  /** What was expected and what was found. */
  get detail(): IdTokenErrorDetail {
    const { found, caller, evidence } = this.#finding
    const expected = valueOf(this.#finding.expected)
    return {
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found: oneLine(valueOf(found)) }),
      ...(caller !== undefined && { caller: oneLineText(caller) }),
      remedy:
        (evidence && remedyFor(this.code, evidence(), expected)) ?? OUTCOMES[this.code].remedy,
    }
  }

  /** The response headers of the refusal: `www-authenticate`, or `retry-after` with 503. */
  get headers(): Readonly<Record<string, string>> {
    const { challenge, message } = OUTCOMES[this.code]
    if (challenge === undefined) {
      return { 'retry-after': String(this.#finding.retryAfter ?? 1) }
    }
    return { 'www-authenticate': challengeOf(this.#realm, challenge, message) }
  }
}

/** A refusal. Its stack is not captured: it is an answer and not a bug. */
export function refusal(code: IdTokenErrorCode, finding?: Finding): IdTokenError {
  return withoutStack(() => new IdTokenError(code, finding))
}

function valueOf(finding: unknown): unknown {
  return typeof finding === 'function' ? (finding as () => unknown)() : finding
}

/**
 * RFC 6750 section 3: a challenge has at least one parameter, here `realm`; section 3.1: it has no
 * error code if the request has no credentials of our scheme.
 */
function challengeOf(realm: string, error: string | null, description: string): string {
  const challenge = `Bearer realm="${realm}"`
  return error === null
    ? challenge
    : `${challenge}, error="${error}", error_description="${description}"`
}
