import type { Outcome } from './expected-outcomes.ts'
import type { Journeys, Result } from './make-journeys.ts'
import { plainTable, WIDTH, type Marks } from './plain-table.ts'

const HEADINGS = ['through the front end', 'IAM check on', 'IAM check off']

const COLUMNS = [
  { width: 23 },
  { width: 37, wrapWord: true },
  { width: 37, wrapWord: true, paddingRight: 0 },
]

/** One row a way to call; where it came out otherwise than expected, with what was expected. */
export function journeysTable(journeys: readonly Journeys[], marks: Marks): string {
  const sections = journeys.map(({ title, rows }) => {
    const lines = rows.map(({ name, on, off }) => [name, cell(on, marks), cell(off, marks)])
    return `${marks.title(title)}\n${plainTable(lines, COLUMNS)}`
  })
  return [`${plainTable([HEADINGS], COLUMNS)}${'─'.repeat(WIDTH)}`, ...sections].join('\n')
}

function cell({ outcome, expected, asExpected }: Result, { good, bad }: Marks): string {
  return asExpected
    ? `${good(`${outcome.status} ✓`)} ${reason(outcome)}`
    : `${bad(`${outcome.status} ✗`)} ${reason(outcome)}\nexpected ${expected.status} ${reason(expected)}`
}

function reason({ header, signatureVerified, code, server }: Outcome): string {
  if (header === undefined) return code ?? server ?? ''
  return `${signatureVerified ? 'verified' : 'believed'} from ${header}`
}
