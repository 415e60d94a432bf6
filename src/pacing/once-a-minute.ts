const MINUTE = 60_000

/**
 * Returns true at most once a minute: a failure lasts for many requests, but one line a minute is
 * enough.
 *
 * @param steadyNow - milliseconds; must never stand still
 */
export function onceAMinute(steadyNow: () => number): () => boolean {
  let quietUntil = -Infinity
  return () => {
    const now = steadyNow()
    if (now < quietUntil) return false
    quietUntil = now + MINUTE
    return true
  }
}
