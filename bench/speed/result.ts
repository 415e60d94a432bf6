import type { Kind } from './tokens.ts'

/** Figures by name, one for each round. */
export interface Measured<Figure extends string = string> {
  readonly name: string
  readonly rounds: Readonly<Record<Figure, readonly number[]>>
}

/** Of one token: how many a second, and CPU microseconds of the main thread and of the process. */
export type VerifyFigure = 'perSecond' | 'mainThread' | 'process'

/** Of one request: the server's CPU microseconds in its own code, in the kernel, and both. */
export type HttpFigure = 'user' | 'system' | 'total'

/** What is measured together, and the figures of each that is measured. */
export type Measurements = Readonly<Record<Kind, readonly Measured<VerifyFigure>[]>> & {
  /** This library and the digest alone, in many processes. */
  readonly 'http known': readonly Measured<HttpFigure>[]
  /** This library with the audit log and without. */
  readonly 'http audit log': readonly Measured<HttpFigure>[]
  /** Every server. */
  readonly 'http all': readonly Measured<HttpFigure>[]
  /** Milliseconds to import Fastify, and then this package, in a new process. */
  readonly import: readonly Measured<'fastify' | 'plugin'>[]
  /** Milliseconds from the start of a process to the first verified token. */
  readonly 'first verified': readonly Measured<'milliseconds'>[]
  /** Milliseconds of CPU that the guard adds to the start of an app; `name` is the number of routes. */
  readonly routes: readonly Measured<'milliseconds'>[]
  /** Bytes of heap for a token that is kept. */
  readonly memory: readonly Measured<'bytes'>[]
}

/** A row of `Measurements`. */
export type Measurement = keyof Measurements

/** Everything that a run found. */
export interface BenchResults extends Measurements {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  /** Versions by package. */
  readonly versions: Readonly<Record<string, string>>
}
