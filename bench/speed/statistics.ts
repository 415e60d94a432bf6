/** The middle one; of an even number, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? NaN) + upper) / 2 : upper
}

/** The arithmetic mean. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** As many significant digits as a noisy figure has. */
export function rounded(number: number): number {
  return Number(number.toPrecision(4))
}

/**
 * How one row of figures stands to another, round by round: what slows a machine down for a while
 * slows down both halves of a round.
 */
export function medianRatio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((figure, round) => figure / (under[round] ?? NaN)))
}
