import { getBorderCharacters, table, type TableUserConfig } from 'table'
import type { PlayedScene, Row } from './make-calls.ts'
import type { Call } from './scenario.ts'

/** How text is marked on a terminal with colours; elsewhere as it is. */
export interface Marks {
  title: (text: string) => string
  good: (text: string) => string
  bad: (text: string) => string
}

const HEADINGS = ['caller', 'service', 'route', 'header used', 'status', 'code']

// The widest cells there are, so that a call is one line of 100 columns and its code stays whole.
const LAYOUT: TableUserConfig = {
  columns: [
    { width: 6 },
    { width: 13 },
    { width: 15 },
    { width: 26, wrapWord: true, paddingRight: 2 },
    { width: 6 },
    { width: 28, wrapWord: true, paddingRight: 0 },
  ],
  columnDefault: { paddingLeft: 0, paddingRight: 1 },
  border: getBorderCharacters('void'),
  drawHorizontalLine: () => false,
}
const WIDTH = 100

/** One row a call; where it came out otherwise than expected, with what was expected. */
export function callsTable(scenes: readonly PlayedScene[], marks: Marks): string {
  const sections = scenes.map(
    ({ title, rows }) => `${marks.title(title)}\n${lines(rows.map((row) => cells(row, marks)))}`,
  )
  return [`${lines([HEADINGS])}${'─'.repeat(WIDTH)}`, ...sections].join('\n')
}

function lines(rows: string[][]): string {
  return table(rows, LAYOUT).replace(/ +$/gm, '')
}

function cells({ call, status, code = '', asExpected }: Row, { good, bad }: Marks): string[] {
  return [
    call.caller,
    call.service,
    call.route,
    headersUsed(call),
    asExpected ? good(`${status} ✓`) : bad(`${status} ✗`),
    asExpected ? code : `${code}\nexpected ${call.status}\n${call.code ?? ''}`.trim(),
  ]
}

function headersUsed({ headers }: Call): string {
  const used = Object.entries(headers).map(([name, kind]) =>
    kind === 'good' ? name : `${name} (${kind})`,
  )
  return used.length === 0 ? 'none' : used.join(', ')
}
