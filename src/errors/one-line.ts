/** Characters of a value that a log line shows. */
const LONGEST_SHOWN = 256

/**
 * Unicode category C (control, format, surrogate, unassigned) and the separators of lines and
 * paragraphs: a newline would forge a log line, an escape sequence would reach the terminal, and a
 * direction mark would change how the line reads.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * A value that a caller chose, as a log may show it: at most 256 characters, on one line.
 *
 * @returns strings cut and escaped; the type's name for objects; other values as they are
 */
export function oneLine(value: unknown): unknown {
  if (typeof value === 'string') return oneLineText(value)
  return typeof value === 'object' && value !== null ? typeof value : value
}

/** The same for a text. */
export function oneLineText(text: string): string {
  const start = text.length > LONGEST_SHOWN ? text.slice(0, LONGEST_SHOWN) : text
  const printable = start.replace(UNPRINTABLE, escaped)
  return start === text ? printable : `${printable}… (${text.length} characters)`
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`
}
