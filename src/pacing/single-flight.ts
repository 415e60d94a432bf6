/** A run of the task that has not ended. */
interface Run<Result> {
  readonly result: Promise<Result>
  readonly giveUpAt: number
  readonly giveUp: () => void
}

/** When a run is given up, and what is done then. */
export interface GivingUp {
  /** Milliseconds on a clock that never stands still. */
  readonly giveUpAt: number
  readonly giveUp: () => void
}

/**
 * Runs a task once at a time, and has all who need its result share it.
 *
 * A run that takes too long is given up when the next one looks for it, and not by a timer only: timers
 * stand still while an instance on Cloud Run has no CPU. What was given up may still be answered, and
 * after a later run: `isNewest` tells.
 */
export class SingleFlight<Result> {
  #run: Run<Result> | null = null
  #started = 0
  #newest = 0

  /**
   * The run in progress, or `null`.
   *
   * @param now - milliseconds on the clock of `giveUpAt`
   */
  inProgress(now: number): Promise<Result> | null {
    const run = this.#run
    if (run === null) return null
    if (now < run.giveUpAt) return run.result
    this.#run = null
    run.giveUp()
    return null
  }

  /**
   * Starts a run, which others join until it ends or is given up.
   *
   * @param task - gets the number of the run, for `isNewest`
   */
  start(task: (number: number) => Promise<Result>, giving: GivingUp): Promise<Result> {
    this.#started += 1
    const result = task(this.#started).finally(() => {
      if (this.#run === run) this.#run = null
    })
    const run: Run<Result> = { result, ...giving }
    this.#run = run
    // All who waited for it may have gone.
    result.catch(() => undefined)
    return result
  }

  /** Whether no later run was newest before: a late answer is out of date. */
  isNewest(number: number): boolean {
    if (number <= this.#newest) return false
    this.#newest = number
    return true
  }
}
