/** What is used of an OpenTelemetry `Meter`; any version of `@opentelemetry/api` 1 has it. */
export interface Meter {
  /** Makes a counter of this name, once for each. */
  createCounter: (name: string, options?: { description?: string; unit?: string }) => Counter
}

/** What is used of an OpenTelemetry `Counter`. */
export interface Counter {
  /** Counts `value` more, with attributes by name. */
  add: (value: number, attributes?: Record<string, string>) => void
}
