import type { Counter, Meter } from '../../src/index.ts'

/** A meter whose instruments measure nothing, except for these counters. */
export function meterWith(createCounter: (name: string) => Counter): Meter {
  return {
    createCounter,
    createHistogram: () => ({ record: () => undefined }),
    createObservableGauge: () => ({
      addCallback: () => undefined,
      removeCallback: () => undefined,
    }),
  }
}
