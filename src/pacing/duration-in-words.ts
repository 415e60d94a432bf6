const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/**
 * A duration in words, in its two largest units: `2 hours 5 minutes`.
 *
 * @param seconds - at least 0; a part of a second is left out
 */
export function durationInWords(seconds: number): string {
  const largest = UNITS.findIndex(([, length]) => seconds >= length)
  if (largest === -1) return '0 seconds'
  let rest = Math.floor(seconds)
  const parts: string[] = []
  for (const [name, length] of UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`)
  }
  return parts.join(' ')
}
