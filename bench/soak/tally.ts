/** What became of the requests of one minute. */
export interface Minute {
  served: number
  refused: number
  /** Requests that must not be served, and were. */
  badServed: string[]
  /** Valid requests that were refused although a correct verifier could know their key. */
  wronglyRefused: string[]
  /** Valid requests that were refused, and whose key nobody could know. */
  keyUnknown: number
  aborted: number
  /** Connections that failed, of services that were not restarting. */
  failed: string[]
  /** Milliseconds of valid requests whose key was known, by service. */
  readonly latencies: Map<string, number[]>
  /** What the services that run all the time say at its end. */
  heap: number
  resources: number
  cached: number
  most: number
  fetches: number
  failures: number
  unhandled: number
}

export function newMinute(): Minute {
  return {
    ...{ served: 0, refused: 0, keyUnknown: 0, aborted: 0 },
    ...{ badServed: [], wronglyRefused: [], failed: [], latencies: new Map<string, number[]>() },
    ...{ heap: 0, resources: 0, cached: 0, most: 0, fetches: 0, failures: 0, unhandled: 0 },
  }
}

export function addLatency(minute: Minute, service: string, milliseconds: number): void {
  const latencies = minute.latencies.get(service)
  if (latencies === undefined) minute.latencies.set(service, [milliseconds])
  else latencies.push(milliseconds)
}

/** The least number that this share of the numbers does not exceed; 0 of none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

/** What must not happen, and did. */
export function brokenPromises(minutes: readonly Minute[]): string[] {
  return minutes.flatMap(({ badServed, wronglyRefused, failed, unhandled }, index) => [
    ...badServed.map((what) => `minute ${index + 1}: served ${what}`),
    ...wronglyRefused.map((what) => `minute ${index + 1}: refused ${what}`),
    ...failed.map((what) => `minute ${index + 1}: no answer: ${what}`),
    ...(unhandled > 0 ? [`minute ${index + 1}: ${unhandled} unhandled errors`] : []),
  ])
}
