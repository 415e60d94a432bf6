import { plainTable, type Marks } from '../plain-table.ts'
import type { Seen, Stage } from './deploy.ts'
import type { Step } from './run-rollout.ts'

const COLUMNS = [{ width: 42 }, { width: 16 }, { width: 6 }, { width: 36, paddingRight: 0 }]

/** The steps, with a table of calls for each stage and the output of each command. */
export function rolloutText(steps: readonly Step[], marks: Marks): string {
  return steps
    .map((step, index) => {
      const title = marks.title(`${index + 1}. ${step.title}`)
      const body = 'rows' in step ? callsOf(step, marks) : `${step.line}\n\n${step.stdout}`
      const text = 'rows' in step ? body : `$ npx fastify-google-id-token ${body}`
      const failure = 'rows' in step || step.asExpected ? '' : `${marks.bad('not as expected')}\n`
      return `${title}\n${text}${failure}`
    })
    .join('\n')
}

function callsOf({ rows }: Stage, { good, bad }: Marks): string {
  return plainTable(
    rows.map((row) => [
      row.call.email,
      `${row.call.method} ${row.call.path}`,
      row.asExpected ? good(`${row.answer.status} ✓`) : bad(`${row.answer.status} ✗`),
      saidOf(row),
    ]),
    COLUMNS,
  )
}

/** Who refused, or what the audit log says. */
function saidOf({ answer, audited }: Seen): string {
  return answer.refusedBy ?? audited ?? ''
}
