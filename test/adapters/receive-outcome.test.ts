/** What an adapter does with an outcome, whatever its framework. */
import t from 'tap'
import { receiveOutcome, reportOutcome } from '../../src/adapters/receive-outcome.ts'
import { logRefusal } from '../../src/adapters/log-refusal.ts'
import { refusal } from '../../src/errors/id-token-error.ts'
import type { Caller } from '../../src/policy/caller.ts'
import type { Eventual, Outcome } from '../../src/verifier/outcome.ts'
import { warnings } from '../helpers/captured-log.ts'
import { login } from '../helpers/shop.ts'

const caller = { email: login } as Caller
const error = refusal('ID_TOKEN_MISSING')
const bug = new Error('bug')

/** What is called, in its order. A report throws if `reportFails`. */
function receiver(reportFails = false) {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    (...given: unknown[]): void => {
      calls.push([name, ...given])
    }
  const request = { accept: note('accept'), refuse: note('refuse'), next: note('next') }
  const about =
    (name: string, fails = false) =>
    (what: unknown, of: unknown): void => {
      t.equal(of, request)
      calls.push([name, what])
      if (fails) throw bug
    }
  return { calls, request, report: about('report', reportFails), failed: about('failed') }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate)
}

t.test('an outcome is reported, then applied, then the framework goes on', async (t) => {
  for (const [outcome, expected] of [
    [caller, [['report', caller], ['accept', caller], ['next']]],
    [null, [['report', null], ['accept', null], ['next']]],
    [
      error,
      [
        ['report', error],
        ['refuse', error],
        ['next', error],
      ],
    ],
  ] as [Outcome<Caller | null>, unknown[][]][]) {
    const now = receiver()
    receiveOutcome(outcome, now.request, now.report)
    t.strictSame(now.calls, expected, 'at once')
    const later = receiver()
    receiveOutcome(Promise.resolve(outcome), later.request, later.report)
    t.strictSame(later.calls, [])
    await settled()
    t.strictSame(later.calls, expected)
  }
})

t.test('a bug, or a report that fails, goes to the framework, and lets nobody in', async (t) => {
  const late = receiver()
  receiveOutcome(Promise.reject(bug), late.request, late.report)
  await settled()
  t.strictSame(late.calls, [['next', bug]])
  for (const outcome of [caller, error, Promise.resolve(caller)] as Eventual<Outcome>[]) {
    const { calls, request, report } = receiver(true)
    receiveOutcome(outcome, request, report)
    await settled()
    t.strictSame(calls.slice(1), [['next', bug]])
  }
})

t.test('where requests are only reported, each is let in once, at once', async (t) => {
  for (const [outcome, accepted] of [
    [caller, caller],
    [null, null],
    [error, null],
  ] as [Outcome<Caller | null>, Caller | null][]) {
    const now = receiver()
    reportOutcome(() => outcome, now.request, now)
    t.strictSame(now.calls, [['accept', accepted], ['report', outcome], ['next']])
    const later = receiver()
    reportOutcome(() => Promise.resolve(outcome), later.request, later)
    t.strictSame(later.calls, [['accept', null], ['next']])
    await settled()
    t.strictSame(later.calls.slice(2), [['report', outcome]])
  }
})

t.test('where requests are only reported, a bug or a failing report is noted', async (t) => {
  const thrown = receiver()
  reportOutcome(
    () => {
      throw bug
    },
    thrown.request,
    thrown,
  )
  t.strictSame(thrown.calls, [['failed', bug], ['next']])
  const rejected = receiver()
  reportOutcome(() => Promise.reject(bug), rejected.request, rejected)
  await settled()
  t.strictSame(rejected.calls, [['accept', null], ['next'], ['failed', bug]])
  const now = receiver(true)
  reportOutcome(() => caller, now.request, now)
  t.strictSame(now.calls, [['accept', caller], ['report', caller], ['failed', bug], ['next']])
  const later = receiver(true)
  reportOutcome(() => Promise.resolve(caller), later.request, later)
  await settled()
  t.strictSame(later.calls.slice(2), [
    ['report', caller],
    ['failed', bug],
  ])
})

t.test('a log line about a refusal holds the path, and nothing that may be a credential', (t) => {
  const { lines, logger } = warnings()
  const request = { method: 'GET', header: 'authorization', enforced: true }
  for (const [route, logged] of [
    ['/a/:id', '/a/:id'],
    ['/a?access_token=b', '/a'],
    ['/a;access_token=b/c', '/a'],
    ['/a#b', '/a'],
    ['', ''],
    [undefined, undefined],
  ] as const) {
    logRefusal(error, { ...request, route }, logger)
    const { code, detail, message } = error
    t.strictSame(lines.pop(), {
      finding: { code, detail, ...request, route: logged },
      message: `ID token refused: ${message}`,
    })
  }
  logRefusal(error, { ...request, route: '/a', header: null, enforced: false }, logger)
  t.match(lines, [
    {
      finding: { header: null, enforced: false },
      message: `ID token would be refused: ${error.message}`,
    },
  ])
  t.end()
})
