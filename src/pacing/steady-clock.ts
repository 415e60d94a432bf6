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
): () => number {
  const offset = now() - monotonic()
  return () => Math.max(now(), monotonic() + offset)
}
