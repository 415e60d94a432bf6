/** How an endpoint fails. With `delayMs` alone it is slow, and then answers well. */
export interface Fault {
  /** Answers with this status, and nothing is done. */
  readonly status?: number | undefined
  /** Answers with this body instead of its own: text, or anything that is sent as JSON. */
  readonly body?: unknown
  /** Milliseconds before anything else happens. */
  readonly delayMs?: number | undefined
  /** Takes the request and never answers; `close()` ends the connection. */
  readonly hang?: boolean | undefined
  /** Resets the connection. */
  readonly reset?: boolean | undefined
  /** How many requests it is for. Default: all until it is lifted. */
  readonly times?: number | undefined
}
