/** What a measurement is about: attributes by name. */
export type Attributes = Record<string, string | boolean>

/** What an instrument measures. */
export interface InstrumentOptions {
  /** For people. */
  description?: string
  /** In UCUM. */
  unit?: string
}

/**
 * The part of an OpenTelemetry `Meter` that is used; `@opentelemetry/api` has it from version 1.3 on.
 */
export interface Meter {
  /** Makes a counter of this name. */
  createCounter: (name: string, options?: InstrumentOptions) => Counter
  /** Makes a histogram of this name. */
  createHistogram: (
    name: string,
    options?: InstrumentOptions & {
      /** Hints for the collector. */
      advice?: {
        /** The upper bounds of the buckets. */
        explicitBucketBoundaries?: number[]
      }
    },
  ) => Histogram
  /** Makes a gauge of this name that is asked for its values. */
  createObservableGauge: (name: string, options?: InstrumentOptions) => ObservableGauge
}

/** The part of an OpenTelemetry `Counter` that is used. */
export interface Counter {
  /** Counts `value` more. */
  add: (value: number, attributes?: Attributes) => void
}

/** The part of an OpenTelemetry `Histogram` that is used. */
export interface Histogram {
  /** Adds a measured value. */
  record: (value: number, attributes?: Attributes) => void
}

/** Gets the values of a gauge. */
export type GaugeCallback = (result: {
  /** Tells one value. */
  observe: (value: number, attributes?: Attributes) => void
}) => void

/** The part of an OpenTelemetry `ObservableGauge` that is used. */
export interface ObservableGauge {
  /** Has the callback called whenever metrics are collected. */
  addCallback: (callback: GaugeCallback) => void
  /** Ends that. */
  removeCallback: (callback: GaugeCallback) => void
}
