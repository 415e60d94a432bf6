/**
 * The part of an OpenTelemetry `Meter` that is used; every version 1 of `@opentelemetry/api` has
 * it.
 */
export interface Meter {
  /** Makes a counter of this name, once for each. */
  createCounter: (name: string, options?: { description?: string; unit?: string }) => Counter
}

/** The part of an OpenTelemetry `Counter` that is used. */
export interface Counter {
  /** Counts `value` more, with attributes by name. */
  add: (value: number, attributes?: Record<string, string>) => void
}
