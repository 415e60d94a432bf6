import type { Caller } from '../policy/caller.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import type { Counter, Meter } from './meter.ts'

/** The counters. No attribute holds anything that a caller chose. */
export interface Metrics {
  /** One verified request or token: `google_id_token.verdicts` by `outcome`. */
  readonly outcome: (error: unknown, caller: Caller | null) => void
  /** One fetch of the key set: `google_id_token.key_fetches` by `outcome`. */
  readonly keyFetch: (outcome: 'ok' | 'failed') => void
}

/** Makes the counters on the meter; without a meter nothing is counted. */
export function createMetrics(meter: Meter | undefined): Metrics {
  const outcomes = meter?.createCounter('google_id_token.verdicts', {
    description: 'Requests and tokens verified, by outcome: accepted, anonymous, or the error code',
    unit: '{verdict}',
  })
  const keyFetches = meter?.createCounter('google_id_token.key_fetches', {
    description: 'Fetches of the key set, by outcome: ok or failed',
    unit: '{fetch}',
  })
  return {
    outcome: (error, caller) => {
      if (outcomes !== undefined) count(outcomes, outcomeOf(error, caller))
    },
    keyFetch: (outcome) => {
      if (keyFetches !== undefined) count(keyFetches, outcome)
    },
  }
}

/** The outcome is already decided: a meter that throws changes nothing. */
function count(counter: Counter, outcome: string): void {
  try {
    counter.add(1, { outcome })
  } catch (error) {
    process.emitWarning(error as Error)
  }
}

function outcomeOf(error: unknown, caller: Caller | null): string {
  if (error === null) return caller === null ? 'anonymous' : 'accepted'
  return error instanceof IdTokenError ? error.code : 'error'
}
