/** What the bench found: every figure of every round. Microseconds unless a name says otherwise. */

/** Figures by name, one for each round. */
export interface Measured<Figure extends string> {
  readonly name: string
  readonly rounds: Readonly<Record<Figure, readonly number[]>>
}

/** Of one operation; `perSecond` counts them. */
export type VerifyFigure = 'perSecond' | 'mainThread' | 'process'

/** Of one request; `p99` is milliseconds. */
export type HttpFigure = 'cpu' | 'perSecond' | 'p99'

/** Everything that was measured. */
export interface BenchResults {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  /** Versions by package. */
  readonly versions: Readonly<Record<string, string>>
  /** By kind of token. */
  readonly verify: Readonly<
    Record<'repeated' | 'in turn' | 'once', readonly Measured<VerifyFigure>[]>
  >
  /** By kind of token; `crypto.verify alone` verifies good ones. */
  readonly badTokens: Readonly<Record<string, readonly Measured<VerifyFigure>[]>>
  readonly http: {
    readonly one: readonly Measured<HttpFigure>[]
    readonly thousand: readonly Measured<HttpFigure>[]
  }
  /** By what there is more and more of: the counts in their order, `name` being the count. */
  readonly growth: Readonly<Record<string, readonly Measured<'cpu'>[]>>
  readonly memory: {
    /** Bytes of heap for one cached token, by contender. */
    readonly perToken: readonly { readonly name: string; readonly bytes: number }[]
    /** Bytes of heap after so many distinct tokens. */
    readonly heap: readonly { readonly tokens: number; readonly bytes: number }[]
  }
  readonly start: {
    /** Milliseconds from the start of the process to the first verified token. */
    readonly firstVerified: readonly Measured<'milliseconds'>[]
    /** Milliseconds to import the main entry, and what it could not do without. */
    readonly imports: readonly Measured<'milliseconds'>[]
  }
}
