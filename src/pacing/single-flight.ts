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
 * Runs a task at most once at a time. All who need its result share it.
 *
 * A run that takes too long is also given up when the next caller looks for it, not only by a
 * timer: timers stand still while an instance on Cloud Run has no CPU. A run that was given up may
 * still get an answer, even after a later run. `claimNewest` says whether the answer is still of use.
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
   * @param task - gets the number of the run, for `claimNewest`
   */
  start(task: (number: number) => Promise<Result>, giving: GivingUp): Promise<Result> {
    this.#started += 1
    const result = task(this.#started).finally(() => {
      if (this.#run === run) this.#run = null
    })
    const run: Run<Result> = { result, ...giving }
    this.#run = run
    // Perhaps nobody waits for it any more.
    result.catch(() => undefined)
    return result
  }

  /**
   * Claims that this run has the newest answer. `false` if this or a later run has claimed it
   * before: the answer is out of date.
   */
  claimNewest(number: number): boolean {
    if (number <= this.#newest) return false
    this.#newest = number
    return true
  }
}
