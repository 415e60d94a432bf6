import type { PlayedScene, Row } from './make-calls.ts'
import { plainTable, WIDTH, type Marks } from './plain-table.ts'
import type { Call } from './scenario.ts'

const HEADINGS = ['caller', 'service', 'route', 'header used', 'status', 'code']

// The widest cells there are, so that a call is one line of 100 columns and its code stays whole.
const COLUMNS = [
  { width: 6 },
  { width: 13 },
  { width: 15 },
  { width: 26, wrapWord: true, paddingRight: 2 },
  { width: 6 },
  { width: 28, wrapWord: true, paddingRight: 0 },
]

/** One row a call; where it came out otherwise than expected, with what was expected. */
export function callsTable(scenes: readonly PlayedScene[], marks: Marks): string {
  const sections = scenes.map(({ title, rows }) => {
    const lines = rows.map((row) => cells(row, marks))
    return `${marks.title(title)}\n${plainTable(lines, COLUMNS)}`
  })
  return [`${plainTable([HEADINGS], COLUMNS)}${'─'.repeat(WIDTH)}`, ...sections].join('\n')
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
