/** One option of a verb. */
export interface Option {
  readonly type: 'string' | 'boolean'
  /** Can be given several times. */
  readonly multiple?: true
  readonly required?: true
  /** What stands for the value in `--help`. */
  readonly value?: string
  readonly about: string
}

/** The options of a verb, by name. */
export type Options = Readonly<Record<string, Option>>

/** What a verb is for, as `--help` shows it. */
export interface VerbText {
  readonly name: string
  /** The argument without a name, as `--help` shows it; `undefined` if there is none. */
  readonly operand?: string
  readonly summary: string
  /** Paragraphs. */
  readonly about: readonly string[]
  readonly options: Options
  /** Commands of a POSIX shell, with line breaks where they are long. */
  readonly examples: readonly string[]
  /** What the exit codes 0 and 1 mean here. */
  readonly exits: readonly [good: string, negative: string]
}

/** Options of every verb. */
export const COMMON = {
  json: { type: 'boolean', about: 'print JSON, for scripts' },
  help: { type: 'boolean', about: 'print this help' },
} as const satisfies Options
