import { warnProcess } from '../checks/injected.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'
import { failsafeCalls, type FailsafeCalls } from './failsafe-calls.ts'
import type { Attributes, GaugeCallback, Meter } from './meter.ts'

/** Where a token was verified. */
export interface VerifiedAt {
  /** The route as it was declared; `undefined` if it is not known. */
  readonly route: string | undefined
  /** `false` if refused requests are let in as well. */
  readonly enforced: boolean
}

/**
 * The metrics. No attribute holds anything that a caller chose, except `http.route` in Express
 * below a router that is mounted at a path with parameters.
 */
export interface Metrics {
  /** One verified request or token: `google_id_token.verdicts`. */
  readonly outcome: (error: unknown, caller: Caller | null, at: VerifiedAt) => void
  /** One fetch of a key set: `google_id_token.key_fetches` and `google_id_token.key_fetch.duration`. */
  readonly keyFetch: (fetch: MeasuredFetch) => void
  /** One token that was remembered: `google_id_token.token_cache.hits`. */
  readonly cacheHit: () => void
  /**
   * Measures `google_id_token.keys.age` from now on.
   *
   * @param ageOf - seconds; `null` without fetched keys
   * @returns a function that ends it
   */
  readonly keysAge: (source: string, ageOf: () => number | null) => () => void
}

/** A fetch of keys that has ended. */
export interface MeasuredFetch {
  readonly outcome: 'ok' | 'failed'
  /** Whose keys: `id-token` or `iap`. */
  readonly source: string
  /** Milliseconds. */
  readonly took: number
}

const NO_METRICS: Metrics = {
  outcome: () => undefined,
  keyFetch: () => undefined,
  cacheHit: () => undefined,
  keysAge: () => () => undefined,
}

/** Seconds. A fetch has failed after `fetchTimeout`, which is 3 by default. */
const FETCH_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Makes the instruments on the meter; without a meter nothing is measured. */
export function createMetrics(meter: Meter | undefined): Metrics {
  if (meter === undefined) return NO_METRICS
  try {
    return metricsOn(meter)
  } catch (problem) {
    warnProcess(problem)
    return NO_METRICS
  }
}

function metricsOn(meter: Meter): Metrics {
  const measure = failsafeCalls()
  const outcomes = meter.createCounter('google_id_token.verdicts', {
    description: 'Requests and tokens verified, by outcome: accepted, anonymous or refused',
    unit: '{verdict}',
  })
  const cacheHits = meter.createCounter('google_id_token.token_cache.hits', {
    description: 'Tokens whose signature was verified before and is remembered',
    unit: '{hit}',
  })
  return {
    outcome: (error, caller, at) => {
      measure(() => {
        outcomes.add(1, attributesOf(error, caller, at))
      })
    },
    cacheHit: () => {
      measure(() => {
        cacheHits.add(1)
      })
    },
    keyFetch: keyFetchMetrics(meter, measure),
    keysAge: keysAgeMetric(meter, measure),
  }
}

function keyFetchMetrics(meter: Meter, measure: FailsafeCalls): Metrics['keyFetch'] {
  const keyFetches = meter.createCounter('google_id_token.key_fetches', {
    description: 'Fetches of the key set, by outcome: ok or failed',
    unit: '{fetch}',
  })
  const fetchDuration = meter.createHistogram('google_id_token.key_fetch.duration', {
    description: 'Duration of the fetches of the key set',
    unit: 's',
    advice: { explicitBucketBoundaries: FETCH_BUCKETS },
  })
  return ({ outcome, source, took }) => {
    measure(() => {
      keyFetches.add(1, { outcome, source })
      fetchDuration.record(took / 1000, { outcome, source })
    })
  }
}

function keysAgeMetric(meter: Meter, measure: FailsafeCalls): Metrics['keysAge'] {
  const gauge = meter.createObservableGauge('google_id_token.keys.age', {
    description: 'Time since the keys were fetched',
    unit: 's',
  })
  return (source, ageOf) => {
    const observe: GaugeCallback = (result) => {
      const age = ageOf()
      if (age !== null) result.observe(age, { source })
    }
    measure(() => {
      gauge.addCallback(observe)
    })
    return () => {
      measure(() => {
        gauge.removeCallback(observe)
      })
    }
  }
}

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ for what has no code. */
const NO_CODE = '_OTHER'

function attributesOf(
  error: unknown,
  caller: Caller | null,
  { route, enforced }: VerifiedAt,
): Attributes {
  const at: Attributes = route === undefined ? { enforced } : { enforced, 'http.route': route }
  if (error === null) return { ...at, outcome: caller === null ? 'anonymous' : 'accepted' }
  const code = error instanceof IdTokenError ? error.code : NO_CODE
  return { ...at, outcome: 'refused', 'error.type': code }
}
