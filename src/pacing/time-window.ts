/** What a window is made of. */
export interface TimeWindowParts {
  /** Milliseconds. */
  readonly length: number
  /** Milliseconds. If this clock stands still or is set back, the timer ends the window. */
  readonly now: () => number
  /** Called when a window ends. */
  readonly over: () => void
}

/**
 * Time in windows of one length. A window starts with its first use, and ends by a timer. Timers
 * stand still while an instance on Cloud Run has no CPU, so the first use after the time is over ends
 * it too.
 */
export class TimeWindow {
  readonly #parts: TimeWindowParts
  #timer: NodeJS.Timeout | null = null
  #endsAt = 0

  constructor(parts: TimeWindowParts) {
    this.#parts = parts
  }

  /** Starts a window, if none is open. */
  use(): void {
    const now = this.#parts.now()
    if (this.#timer !== null && now < this.#endsAt) return
    this.end()
    const { length } = this.#parts
    this.#endsAt = now + length
    this.#timer = setTimeout(() => {
      this.end()
    }, length).unref()
  }

  /** Ends the window, if one is open. */
  end(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#parts.over()
  }
}
