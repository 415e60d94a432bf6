/** A flood of a million requests cannot fill the log or the memory of a guarded app. */
import t from 'tap'
import type { FloodReport } from '../helpers/processes/audit-flood.ts'
import { runProcess } from '../helpers/run-process.ts'

const FLOOD = 1_000_000
const MEBIBYTE = 2 ** 20
/** Between the first 100,000 requests and all of them; 1 to 2 MiB were seen. */
const MOST_HEAP = 4 * MEBIBYTE
/** Of one code on one route, in a minute: ten refusals, and one line that counts the others. */
const MOST_REFUSALS = 11

t.test('a million forged tokens, paths and callers', { timeout: 580_000 }, async (t) => {
  const { exitCode, stdout, stderr } = await runProcess('audit-flood', [String(FLOOD)], 570_000, [
    '--expose-gc',
  ])
  t.equal(exitCode, 0, stderr)
  const report = JSON.parse(stdout) as FloodReport
  t.comment(JSON.stringify(report))
  const { statuses, auditLines, audited, refusalLines, refusalKinds, otherLines, heap } = report
  t.strictSame(Object.keys(statuses), ['200', '401', '403', '404'], 'all of it is verified')
  t.equal(report.signedCallers, 10_000)
  t.equal(auditLines, 1_001, 'the first 1,000 combinations, and one line for all others')
  t.equal(audited, FLOOD, 'every request is in one count')
  t.ok(refusalLines <= MOST_REFUSALS * refusalKinds * (Math.ceil(report.minutes) + 1))
  t.ok(refusalKinds < 20)
  t.ok(otherLines.length < 20 * (report.minutes + 2), 'the counts of refusals')
  const [early = NaN, late = NaN] = heap
  t.ok(late - early < MOST_HEAP, `${((late - early) / MEBIBYTE).toFixed(1)} MiB more`)
})
