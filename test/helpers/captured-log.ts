import { Writable } from 'node:stream'
import type { Logger } from '../../src/index.ts'

/** One line of a pino log. */
export type LogLine = Readonly<Record<string, unknown>>

/** A stream for a logger, and what was written to it. */
export interface CapturedLog {
  readonly stream: Writable
  readonly text: () => string
  readonly lines: () => LogLine[]
}

/** pino's numbers (https://getpino.io/#/docs/api?id=level-string). */
export const LEVEL = { warn: 40, error: 50 } as const

/** Catches what a logger writes. */
export function capturedLog(): CapturedLog {
  let text = ''
  return {
    stream: new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString()
        done()
      },
    }),
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine),
  }
}

/** What a logger was given. */
export interface Warning {
  readonly finding: Record<string, unknown>
  readonly message: string
}

/** A logger, and what it is given. */
export function warnings(): { readonly lines: Warning[]; readonly logger: Logger } {
  const lines: Warning[] = []
  return {
    lines,
    logger: {
      warn(finding: object, message: string) {
        lines.push({ finding: finding as Record<string, unknown>, message })
      },
    },
  }
}

/** A logger that tells nobody. */
export const silent: Logger = { warn: () => undefined }

/** Whether any 12 characters in a row of the secret stand in the text. */
export function holdsPartOf(secret: string, text: string): boolean {
  for (let start = 0; start + 12 <= secret.length; start += 1) {
    if (text.includes(secret.slice(start, start + 12))) return true
  }
  return false
}
