/** The parts of a diagram as SVG: texts, boxes and arrows, in colours for a light and a dark page. */

export const FONT_SIZE = 12
export const LINE = 16
/** Of one character. No usual font without serifs is wider on average, and monospace fonts are as wide. */
export const CHARACTER = 7.2

/**
 * A background of its own: some viewers take the colours of the system and not those of the page,
 * and then the text must be readable too.
 */
const STYLE = `
text { font: ${FONT_SIZE}px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
.code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
.title { font-weight: 600 }
.soft { fill: #59636e }
.good { fill: #1a7f37 }
.bad { fill: #c21c29 }
path, rect { fill: none; stroke: #818b98 }
path.lifeline { stroke-dasharray: 5 4 }
rect { fill: #f6f8fa }
rect.ground { fill: #ffffff; stroke: #d1d9e0 }
rect.good { fill: #e6f6ea; stroke: #1a7f37 }
rect.bad { fill: #fdecea; stroke: #c21c29 }
rect.choice { fill: #e8f2fe; stroke: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .soft { fill: #9aa4af }
  .good { fill: #56d364 }
  .bad { fill: #ff8b84 }
  rect { fill: #1c232c }
  rect.ground { fill: #0d1117; stroke: #3d444d }
  rect.good { fill: #12261a; stroke: #2f9e44 }
  rect.bad { fill: #2d1517; stroke: #f0625d }
  rect.choice { fill: #121f33; stroke: #4493f8 }
}`

/** A line of text, or one in a class of the style. */
export type TextLine = string | readonly [className: string, text: string]

interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** @param parts - of the drawing, each on a line of the file */
export function diagram(title: string, width: number, height: number, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${parts.join('\n')}
</svg>
`
}

/** Lines below each other; `y` is the top of the first one. */
export function text(x: number, y: number, lines: readonly TextLine[], anchor = 'start'): string {
  return lines
    .map((line, row) => {
      const [className, content] = typeof line === 'string' ? ['', line] : line
      return `<text x="${x}" y="${y + row * LINE + FONT_SIZE}" class="${className}" text-anchor="${anchor}">${escaped(content)}</text>`
    })
    .join('\n')
}

/** A box with lines in its middle. */
export function box(place: Rectangle, lines: readonly TextLine[], className = ''): string {
  const { x, y, width, height } = place
  const top = y + (height - lines.length * LINE) / 2
  return `<rect class="${className}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>
${text(x + width / 2, top, lines, 'middle')}`
}

/** From left to right, or from right to left. */
export function arrow(from: number, to: number, y: number): string {
  const back = to > from ? -7 : 7
  return `<path d="M${from} ${y}H${to}m${back} -4l${-back} 4l${back} 4"/>`
}

export function lifeline(x: number, from: number, to: number): string {
  return `<path class="lifeline" d="M${x} ${from}V${to}"/>`
}

/** A text in lines that are no wider than this, broken between words. */
export function wrapped(content: string, width: number): string[] {
  const columns = Math.floor(width / CHARACTER)
  const lines: string[] = []
  for (const word of content.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
