import { styleText } from 'node:util'
import { printable } from './quoted.ts'

/** A stream that a verb writes to; a terminal says so in `isTTY`. */
export interface Output {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean | undefined
}

/** What a verb has of the process: tests give it other streams. */
export interface Io {
  readonly stdin: AsyncIterable<Buffer> & { readonly isTTY?: boolean | undefined }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Resolves at Ctrl-C, or when the process is asked to end. */
  readonly interrupted: () => Promise<void>
}

/** 0: good; 1: the answer is no, or there is none; 2: wrong usage. */
export type ExitCode = 0 | 1 | 2

/** There is no answer: its message says why. */
export class NoAnswer extends Error {}

/** Wrong usage: its message says what would be right. */
export class UsageError extends Error {}

/** The styles in use. The words alone say everything too. */
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** Colours on a terminal only, and none with NO_COLOR (https://no-color.org). */
export function styleOn({ env }: Io, output: Output): (style: Style, text: string) => string {
  const plain = output.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  return (style, text) => (plain ? text : styleText(style, text, { validateStream: false }))
}

/** Writes lines. */
export function printLines(output: Output, lines: readonly string[]): void {
  output.write(lines.map((line) => `${line}\n`).join(''))
}

/** Writes a value as JSON, for scripts. */
export function printJson({ stdout }: Io, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2).split('\n').map(printable).join('\n')}\n`)
}
