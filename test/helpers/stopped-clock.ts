import type { Test } from 'tap'

/** A time that passes only when a test says so. */
export interface StoppedClock {
  readonly clock: () => Date
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Seconds since 1970. */
  readonly seconds: () => number
  readonly pass: (seconds: number) => void
  /** Goes back to where it began. */
  readonly reset: () => void
}

/** @param start - in ISO 8601; default: this second, as tokens say whole seconds */
export function stoppedClock(start?: string): StoppedClock {
  const began = start === undefined ? Math.floor(Date.now() / 1000) * 1000 : Date.parse(start)
  let time = began
  return {
    clock: () => new Date(time),
    now: () => time,
    seconds: () => time / 1000,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    reset: () => {
      time = began
    },
  }
}

/**
 * Stops the monotonic clock of this process until the end of the test. Pauses use it while the
 * given clock stands still, so without this they would end on a slow machine.
 */
export function stopMonotonicClock(t: Test): void {
  const moment = performance.now()
  performance.now = () => moment
  t.teardown(() => Reflect.deleteProperty(performance, 'now'))
}
