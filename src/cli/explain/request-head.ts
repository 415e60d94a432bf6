import { UsageError } from '../io.ts'

/** What is to be explained: a token alone, or the headers of a request. */
export type Presented =
  | { readonly token: string }
  | {
      /** Names and values in turn. */
      readonly rawHeaders: readonly string[]
    }

/** RFC 9110 section 5.1 for the name. */
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/
/** The request line, and the pseudo-headers of HTTP/2. */
const START = /^(?:[A-Z]+ \S+ HTTP\/[0-9.]+|:[a-z]+:.*)$/

/**
 * Reads a token, a header, a whole request head, or what `curl -v` prints.
 *
 * @throws UsageError that quotes nothing of it
 */
export function parsePresented(text: string): Presented {
  const lines = headLines(text)
  const [first = '', ...others] = lines
  if (first === '') {
    throw new UsageError('There is nothing to explain; accepted: a token, or headers of a request')
  }
  if (others.length === 0 && /^[^\s:]+$/.test(first)) return { token: first }
  if (others.length === 0 && /^bearer\s/i.test(first)) {
    return { rawHeaders: ['Authorization', first] }
  }
  return { rawHeaders: lines.filter((line) => !START.test(line)).flatMap(parseHeader) }
}

function parseHeader(line: string): [name: string, value: string] {
  const [, name, value] = HEADER.exec(line) ?? []
  if (name !== undefined && value !== undefined) return [name, value]
  throw new UsageError(
    'There is a line that is no header, and it is no token alone; accepted: a token, lines "Name: value", the head of a request, or what curl -v prints',
  )
}

/** curl marks what it has sent with `>`; what it has received, and its remarks, are left out. */
function headLines(text: string): string[] {
  const all = text.trim().split(/\r?\n/)
  const sent = all.filter((line) => line.startsWith('> ')).map((line) => line.slice(2))
  const lines = (sent.length > 0 ? sent : all).map((line) => line.trimEnd())
  const end = lines.indexOf('')
  return end === -1 ? lines : lines.slice(0, end)
}

/** The token that a header holds, if it looks like one. */
export function tokenIn(value: string): string | undefined {
  return /(?:^|\s)([\w-]+\.[\w-]+\.[\w-]*)$/.exec(value)?.[1]
}
