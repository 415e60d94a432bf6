/** The table of the README that says what to configure, as a flow from the caller to the options. */
import { readFileSync } from 'node:fs'
import { arrow, box, diagram, LINE, text, wrapped } from './diagram.ts'

const README = new URL('../../README.md', import.meta.url)

/** A row of the table. */
interface Row {
  readonly caller: string
  readonly iamCheck: string
  readonly header: string
  readonly arrives: string
  readonly configure: string
}

/** A row at its place: the arrow is below the first line of its text. */
interface Lane extends Row {
  readonly top: number
  readonly height: number
}

/** Where the columns begin, and how wide they are. The texts of the arrows are between two boxes. */
const COLUMNS = {
  caller: { x: 16, width: 164 },
  header: { x: 192, width: 236 },
  arrives: { x: 440, width: 124 },
  configure: { x: 600, width: 184 },
} as const
const WIDTH = 800
const HEAD = 44
const GAP = 14
const PADDING = 8

export function decisionTable(): string {
  const lanes = lanesOf(rowsOf(readFileSync(README, 'utf8')))
  const callers = groupsBy(lanes, ({ caller }) => caller)
  const height = Math.max(...lanes.map(({ top, height }) => top + height)) + GAP
  return diagram('What to configure, by who calls', WIDTH, height, [
    columnTitle('caller', 'Who calls'),
    columnTitle('header', 'IAM check, header with the token'),
    columnTitle('arrives', 'What arrives'),
    columnTitle('configure', 'What to configure'),
    ...callers.flatMap((group) => [
      boxIn('caller', group, group[0].caller),
      ...group.map(laneArrow),
      ...groupsBy(group, ({ arrives, configure }) => `${arrives} ${configure}`).flatMap(outcome),
    ]),
  ])
}

/** The rows, complete: an empty cell, and "the same", stand for the cell above. */
function rowsOf(readme: string): Row[] {
  const [, table] = /^\| who calls .*\n\| -.*\n((?:\|.*\n)+)/m.exec(readme) ?? []
  if (table === undefined) throw new Error('the README has no table of who calls')
  let above: string[] = []
  return table
    .trimEnd()
    .split('\n')
    .map((line) => {
      const cells = line.split('|').slice(1, -1).map(plain)
      above = cells.map((cell, i) => (REPEATED.includes(cell) ? String(above[i]) : cell))
      return rowOf(above)
    })
}

const REPEATED = ['', 'the same']

function rowOf([caller, iamCheck, header, arrives, configure]: readonly string[]): Row {
  if (!caller || !iamCheck || !header || !arrives || !configure) {
    throw new Error('the table of who calls has an empty cell')
  }
  return { caller, iamCheck, header, arrives, configure }
}

/** Without the links to where it says how, and without the marks of code. */
function plain(cell: string): string {
  return cell
    .replace(/ \(\[.*?\]\(.*?\)\)/, '')
    .replaceAll('`', '')
    .trim()
}

function lanesOf(rows: readonly Row[]): Lane[] {
  let top = HEAD
  return rows.map((row, index) => {
    if (row.caller === rows[index - 1]?.caller) top += PADDING
    else if (index > 0) top += GAP
    const callerLines = wrapped(row.caller, COLUMNS.caller.width - PADDING).length
    const lines = Math.max(1 + headerLines(row).length, callerLines / lanesOfCaller(rows, row))
    const lane = { ...row, top, height: Math.ceil(lines) * LINE + 3 * PADDING }
    top += lane.height
    return lane
  })
}

function lanesOfCaller(rows: readonly Row[], { caller }: Row): number {
  return rows.filter((row) => row.caller === caller).length
}

function headerLines({ header }: Row): string[] {
  return wrapped(header, COLUMNS.header.width)
}

type Group = readonly [Lane, ...Lane[]]

/** Neighbours that have this in common. */
function groupsBy(lanes: readonly Lane[], key: (lane: Lane) => string): Group[] {
  const groups: [Lane, ...Lane[]][] = []
  for (const lane of lanes) {
    const group = groups.at(-1)
    if (group !== undefined && key(group[0]) === key(lane)) group.push(lane)
    else groups.push([lane])
  }
  return groups
}

function columnTitle(column: keyof typeof COLUMNS, title: string): string {
  return text(COLUMNS[column].x, HEAD - LINE - PADDING, [['soft', title]])
}

/** A box beside these lanes. */
function boxIn(
  column: keyof typeof COLUMNS,
  lanes: Group,
  content: string,
  className = '',
): string {
  const { x, width } = COLUMNS[column]
  const [{ top }] = lanes
  const { top: lastTop, height } = lanes.at(-1) ?? lanes[0]
  const lines = wrapped(content, width - PADDING)
  return box({ x, y: top, width, height: lastTop + height - top }, lines, className)
}

/** The IAM check above the arrow, the header below it. */
function laneArrow(lane: Lane): string {
  const { x } = COLUMNS.header
  const from = COLUMNS.caller.x + COLUMNS.caller.width
  const y = arrowOf(lane)
  return `${text(x, y - LINE - 2, [['title', `IAM check ${lane.iamCheck}`]])}
${arrow(from, COLUMNS.arrives.x, y)}
${text(x, y + 4, headerLines(lane))}`
}

function arrowOf({ top }: Lane): number {
  return top + LINE + PADDING
}

/** What arrives, and what to configure for it. */
function outcome(lanes: Group): string[] {
  const [first] = lanes
  const { arrives, configure } = first
  const y = (arrowOf(first) + arrowOf(lanes.at(-1) ?? first)) / 2
  const from = COLUMNS.arrives.x + COLUMNS.arrives.width
  return [
    boxIn('arrives', lanes, arrives, arrives.includes('intact') ? 'good' : 'bad'),
    arrow(from, COLUMNS.configure.x, y),
    boxIn('configure', lanes, configure, configure === 'nothing' ? '' : 'choice'),
  ]
}
