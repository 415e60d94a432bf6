import { FAILURES, type ServiceClientErrorCode } from './failures.ts'

/** What is known about a failure, for logs. It never holds a token or a key, or part of one. */
export interface ServiceClientErrorDetail {
  /** What Google, the identity provider or the network said. */
  readonly reason?: string
  /** The HTTP status of that answer. */
  readonly status?: number
  /** What the operator can do about it. */
  readonly remedy: string
}

/**
 * Why a service could not be called.
 *
 * It has no `cause`, because the errors of HTTP clients hold the headers of requests, so tokens. An
 * answer of the service is a `Response`. If the connection to the service fails, the error is that
 * of `fetch`.
 */
export class ServiceClientError extends Error {
  static {
    this.prototype.name = 'ServiceClientError'
  }
  /** A row of the failure table. */
  readonly code: ServiceClientErrorCode
  /** What is known of the failure. */
  readonly detail: ServiceClientErrorDetail

  /** @internal Only this package creates these errors; other code only reads them. */
  constructor(code: ServiceClientErrorCode, found: { reason?: string; status?: number } = {}) {
    const { message, remedy } = FAILURES[code]
    super(`${message}: ${remedy}`)
    this.code = code
    this.detail = { ...found, remedy }
  }
}
