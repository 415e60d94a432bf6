/**
 * Callers, and everyone who could write to the log, chose what the log says. In a snippet that is
 * pasted into code it must stay a string on one line.
 */

/** Control and format characters, surrogates, and the separators of lines and paragraphs. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** A string literal of JavaScript and of JSON, of printable characters. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text))
}

/** Escapes what a terminal or an editor would not show as it is, in a text of JSON. */
export function printable(json: string): string {
  return json.replace(UNPRINTABLE, escaped)
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
  ).join('')
}
