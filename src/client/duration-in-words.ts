const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** A length of time for people: `2 hours`, `90 minutes`. */
export function durationInWords(seconds: number): string {
  // Not quite two of a unit is two of it: "2 hours" rather than "119 minutes".
  const [unit, size] = UNITS.find(([, one]) => seconds >= 1.9 * one) ?? ['second', 1]
  const count = Math.round(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
