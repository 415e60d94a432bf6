/** How an endpoint fails. With `delayMs` alone, it is slow and then answers normally. */
export interface Fault {
  /** Answers with this status, and does nothing else. */
  readonly status?: number | undefined
  /**
   * Answers with this body instead of the usual one: text, or any value that can be sent as JSON.
   */
  readonly body?: unknown
  /** Milliseconds to wait before anything else. */
  readonly delayMs?: number | undefined
  /** Takes the request and never answers; `close()` ends the connection. */
  readonly hang?: boolean | undefined
  /** Resets the connection. */
  readonly reset?: boolean | undefined
  /** How many requests it applies to. Default: all until it is ended. */
  readonly times?: number | undefined
}
