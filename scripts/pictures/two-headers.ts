/** What Cloud Run's front end does to the headers of a call, as a sequence diagram. */
import {
  AUDIENCE,
  callsThroughFrontEnd,
  HEADERS,
  type SeenCall,
  type SeenHeader,
} from './calls-through-front-end.ts'
import { arrow, box, CHARACTER, diagram, lifeline, LINE, text, type TextLine } from './diagram.ts'

/** The middle of each lifeline. */
const SIDES = { login: 96, 'Cloud Run front end': 372, 'user-profiles': 690 } as const
type Side = keyof typeof SIDES

const WIDTH = 784
const MARGIN = 16
const HEAD = { width: 150, height: 32 } as const
const GAP = 12
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE'

/** A part of the diagram, of its height. */
interface Step {
  readonly height: number
  readonly draw: (top: number) => string
}

export async function twoHeaders(): Promise<string> {
  const [both, one] = await callsThroughFrontEnd(['both', 'authorization'])
  if (both === undefined || one === undefined) throw new Error('a call is missing')
  const steps = [
    heads(),
    note('login', ['gets one ID token from the metadata server,', `audience ${AUDIENCE}`]),
    title('The same token in both headers'),
    ...stepsOf(both),
    title('The token in Authorization only'),
    ...stepsOf(one),
  ]
  let top = MARGIN
  const parts = steps.map(({ height, draw }) => {
    const drawn = draw(top)
    top += height + GAP
    return drawn
  })
  const lifelines = Object.values(SIDES).map((x) => lifeline(x, MARGIN + HEAD.height, top))
  return diagram('A call through the front end of Cloud Run', WIDTH, top + GAP, [
    ...lifelines,
    ...parts,
  ])
}

function stepsOf({ request, atFrontEnd, atService, status, answer }: SeenCall): Step[] {
  const { email, header, code } = answer
  return [
    message('login', 'Cloud Run front end', [request, ...headerLines(atFrontEnd)]),
    note('Cloud Run front end', ['IAM check: login may invoke the service', removal(atService)]),
    message('Cloud Run front end', 'user-profiles', [request, ...headerLines(atService)]),
    note(
      'user-profiles',
      code === undefined
        ? [['good', `verifies the token in ${nameOf(header)}`], `caller: ${String(email)}`]
        : [['code bad', code]],
    ),
    answerOf(status),
  ]
}

function nameOf(header: string | undefined): string {
  const name = HEADERS.find((one) => one.toLowerCase() === header)
  if (name === undefined) throw new Error('the service has verified no header')
  return name
}

function heads(): Step {
  const { width, height } = HEAD
  return {
    height,
    draw: (y) =>
      Object.entries(SIDES)
        .map(([name, x]) => box({ x: x - width / 2, y, width, height }, [['title', name]]))
        .join('\n'),
  }
}

function title(line: string): Step {
  const height = LINE + 12
  const place = { x: MARGIN, width: WIDTH - 2 * MARGIN, height }
  return { height, draw: (y) => box({ ...place, y }, [['title', line]]) }
}

/** Beside the lifeline of whom it is about, as far as there is room. */
function note(side: Side, lines: readonly TextLine[]): Step {
  const columns = Math.max(...lines.map((line) => contentOf(line).length))
  const width = Math.ceil(columns * CHARACTER) + 20
  const height = lines.length * LINE + 12
  const x = Math.min(Math.max(SIDES[side] - width / 2, MARGIN), WIDTH - MARGIN - width)
  return { height, draw: (y) => box({ x, y, width, height }, lines) }
}

function contentOf(line: TextLine): string {
  return typeof line === 'string' ? line : line[1]
}

/** The texts of a request above its arrow. */
function message(from: Side, to: Side, lines: readonly TextLine[]): Step {
  const below = lines.length * LINE + 8
  return {
    height: below + 6,
    draw: (y) => `${text(SIDES[from] + 10, y, lines)}
${arrow(SIDES[from], SIDES[to], y + below)}`,
  }
}

function headerLines(headers: readonly SeenHeader[]): TextLine[] {
  return headers.flatMap(({ name, token }): TextLine[] => [
    ['code', `${name}: Bearer`],
    [`code ${token.endsWith(REMOVED) ? 'bad' : 'good'}`, token],
  ])
}

function removal(headers: readonly SeenHeader[]): string {
  const names = headers.filter(({ token }) => token.endsWith(REMOVED)).map(({ name }) => name)
  if (names.length === 0) throw new Error('the front end has removed no signature')
  return `removes the signature from ${names.join()}`
}

/** Through the front end, as it is. */
function answerOf(status: number): Step {
  const hops = [
    ['login', 'Cloud Run front end'],
    ['Cloud Run front end', 'user-profiles'],
  ] as const
  const below = LINE + 8
  return {
    height: below + 6,
    draw: (y) =>
      hops
        .map(
          ([to, from]) => `${text(SIDES[to] + 10, y, [`status ${status}`])}
${arrow(SIDES[from], SIDES[to], y + below)}`,
        )
        .join('\n'),
  }
}
