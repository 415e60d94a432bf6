/** Terminal output as an SVG picture. It knows the escape sequences that the pictures have. */

const FONT_SIZE = 14
const COLUMN = 8.4
const LINE = 19
const PADDING = 20
const TITLE_BAR = 36
const MOST_COLUMNS = 100

/** A frame with a background of its own: the picture reads alike on a dark and on a light page. */
const GROUND = '#0d1117'
const BORDER = '#57606a'
const TEXT = '#d6dde4'
const TITLE = '#98a2ae'
const BUTTONS = ['#ff6159', '#ffbd2e', '#28c941']

/** What a sequence (ECMA-48, SGR) makes of the text after it; `''` ends it. */
const STYLES: Readonly<Record<string, string>> = {
  1: ' font-weight="bold" fill="#ffffff"',
  2: ' fill="#98a2ae"',
  22: '',
  31: ' fill="#ff7b72"',
  32: ' fill="#56d364"',
  39: '',
}

const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

/**
 * The picture of a terminal.
 *
 * @param title - of the window
 * @param output - what a program printed, with its escape sequences
 */
export function terminalPicture(title: string, output: string): string {
  const lines = output.split('\n').flatMap(inColumns)
  const columns = Math.max(...lines.map((line) => withoutStyles(line).length))
  const width = Math.ceil(columns * COLUMN) + 2 * PADDING
  const height = TITLE_BAR + lines.length * LINE + PADDING
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONTS}" font-size="${FONT_SIZE}">
<title>${escaped(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${GROUND}" stroke="${BORDER}"/>
${BUTTONS.map((colour, i) => `<circle cx="${PADDING + 20 * i}" cy="18" r="6" fill="${colour}"/>`).join('')}
<text x="${width / 2}" y="23" text-anchor="middle" fill="${TITLE}">${escaped(title)}</text>
<g fill="${TEXT}">
${lines.map(lineOfText).filter(Boolean).join('\n')}
</g>
</svg>
`
}

/**
 * A long line, broken between words. A terminal breaks it anywhere, and at the left edge; here its
 * text stands under itself, as it is to be read.
 */
function inColumns(line: string): string[] {
  if (withoutStyles(line).length <= MOST_COLUMNS) return [line]
  if (line.includes(ESCAPE)) throw new Error('a line with styles is too long for the picture')
  const [indent = ''] = /^ *(?:[a-z]+ {2,})?/i.exec(line) ?? []
  const lines: string[] = []
  let rest = line.slice(indent.length)
  while (indent.length + rest.length > MOST_COLUMNS) {
    const end = rest.lastIndexOf(' ', MOST_COLUMNS - indent.length)
    if (end <= 0) throw new Error('a word is too long for the picture')
    lines.push(rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  return [...lines, rest].map((text, i) => (i === 0 ? indent : ' '.repeat(indent.length)) + text)
}

/**
 * The text of one line. Each part has its place and its length, so that columns stand under each
 * other in every font, and beside characters that come from another font.
 */
function lineOfText(line: string, row: number): string {
  const y = TITLE_BAR + PADDING / 2 + row * LINE + FONT_SIZE / 2
  let column = 0
  const parts = partsOf(line).map(({ text, style }) => {
    const x = PADDING + column * COLUMN
    column += text.length
    if (text.trim() === '') return ''
    return `<text x="${px(x)}" y="${y}" textLength="${px(text.length * COLUMN)}"${style}>${escaped(text)}</text>`
  })
  return parts.join('')
}

interface Part {
  readonly text: string
  readonly style: string
}

/** Runs of spaces are parts of their own: SVG would make one space of them. */
function partsOf(line: string): Part[] {
  let style = ''
  const parts: Part[] = []
  // The numbers of the sequences stand between the texts: split() keeps what a group matches.
  for (const [i, piece] of line.split(SEQUENCE).entries()) {
    if (i % 2 === 1) style = styleOf(piece)
    else parts.push(...(piece.match(SPACES_OR_WORDS) ?? []).map((text) => ({ text, style })))
  }
  return parts
}

const SPACES_OR_WORDS = / +|[^ ]+(?: [^ ]+)*/g

const ESCAPE = '\u001b'
const SEQUENCE = new RegExp(`${ESCAPE}\\[(\\d+)m`)

function styleOf(code: string): string {
  const style = STYLES[code]
  if (style === undefined) throw new Error(`the picture knows no style ${code}`)
  return style
}

function withoutStyles(line: string): string {
  return line.replaceAll(new RegExp(SEQUENCE, 'g'), '')
}

function px(length: number): number {
  return Math.round(length * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
