/**
 * The time of a clock for waiting, in milliseconds. A caller that has just read the given clock
 * passes that time as `now`, so that the clock is not read again.
 */
export type SteadyClock = (now?: number) => number

/**
 * A clock for waiting. It follows the given clock, but keeps going if that one stands still or is
 * set back, so that no back-off lasts for ever.
 *
 * @param now - milliseconds since the epoch
 * @param monotonic - milliseconds since an arbitrary moment
 */
export function steadyClock(
  now: () => number,
  monotonic: () => number = () => performance.now(),
): SteadyClock {
  const offset = now() - monotonic()
  return (wall = now()) => Math.max(wall, monotonic() + offset)
}
