import t from 'tap'
import { googleIdToken } from '../../src/express.ts'
import { RefusalLimit } from '../../src/telemetry/refusal-limit.ts'
import { warnings } from '../helpers/captured-log.ts'
import { frameworks, recordedLog } from '../helpers/guarded-app.ts'
import { audience, login } from '../helpers/shop.ts'
import { stopMonotonicClock, stoppedClock } from '../helpers/stopped-clock.ts'
import { issuer } from '../helpers/issuer.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }
const ORDERS = { code: 'ID_TOKEN_MISSING', route: '/orders/:id', enforced: true } as const

function timedLimit() {
  const time = stoppedClock()
  const log = warnings()
  const limit = new RefusalLimit(time.now)
  return {
    limit,
    lines: log.lines,
    pass: time.pass,
    admitted: (count: number, refusal: Parameters<RefusalLimit['mayLog']>[0] = ORDERS) =>
      Array.from({ length: count }, () => limit.mayLog(refusal, log.logger)).filter(Boolean).length,
  }
}

t.test('ten lines a minute of one code on one route, and one with the number', (t) => {
  const { admitted, lines, pass, limit } = timedLimit()
  t.equal(admitted(25), 10)
  t.equal(admitted(3, { ...ORDERS, route: '/other' }), 3, 'another route counts by itself')
  t.equal(admitted(12, { ...ORDERS, code: 'ID_TOKEN_MALFORMED' }), 10, 'so does another code')
  t.equal(admitted(11, { ...ORDERS, enforced: false }), 10)
  t.strictSame(lines, [])
  pass(59)
  t.equal(admitted(1), 0)
  pass(1)
  t.equal(admitted(1), 1, 'the next minute begins')
  t.strictSame(lines, [
    {
      finding: { ...ORDERS, suppressed: 16 },
      message: '16 more ID tokens refused in the last minute',
    },
    {
      finding: { ...ORDERS, code: 'ID_TOKEN_MALFORMED', suppressed: 2 },
      message: '2 more ID tokens refused in the last minute',
    },
    {
      finding: { ...ORDERS, enforced: false, suppressed: 1 },
      message: '1 more ID tokens would be refused in the last minute',
    },
  ])
  limit.close()
  t.equal(lines.length, 3, 'nothing was suppressed since')
  t.equal(admitted(12), 10)
  limit.close()
  t.match(lines[3], { finding: { suppressed: 2 } }, 'the last ones are reported at the end')
  t.end()
})

t.test('a million routes are counted in bounded memory and lines', (t) => {
  const { limit, admitted, lines } = timedLimit()
  let admittedOnes = 0
  for (let i = 0; i < 1_000_000; i += 1) admittedOnes += admitted(1, { ...ORDERS, route: `/${i}` })
  t.equal(admittedOnes, 1_010, 'the first 1,000, and ten of all others')
  limit.close()
  t.match(lines, [{ finding: { code: ORDERS.code, suppressed: 998_990 } }])
  t.equal(lines[0]?.finding.route, undefined)
  t.end()
})

t.test('the number is reported at the end of the minute, even if nobody comes', (t) => {
  const timers = t.capture(globalThis, 'setTimeout', (run: () => void, after: number) => {
    timed.push({ run, after })
    return { unref: () => ({}) }
  })
  const timed: { run: () => void; after: number }[] = []
  const { admitted, lines } = timedLimit()
  admitted(13)
  t.equal(timers().length, 1)
  t.equal(timed[0]?.after, 60_000)
  timed[0]?.run()
  t.match(lines, [{ finding: { suppressed: 3 } }])
  t.end()
})

t.test('a logger that throws ends nothing', (t) => {
  const warned = t.capture(process, 'emitWarning')
  const limit = new RefusalLimit(() => 0)
  const logger = {
    warn: () => {
      throw new Error('out of order')
    },
  }
  for (let i = 0; i < 11; i += 1) limit.mayLog(ORDERS, logger)
  limit.close()
  t.equal(String(warned()[0]?.args[0]), 'Error: out of order')
  t.end()
})

for (const { name, start } of frameworks) {
  t.test(`${name}: a flood takes eleven lines, and with 'all' one for each refusal`, async (t) => {
    stopMonotonicClock(t)
    for (const [refusalLog, reportOnly, count] of [
      [undefined, false, 10],
      ['limited', true, 10],
      ['all', false, 14],
    ] as const) {
      const log = recordedLog()
      const time = stoppedClock()
      const { ask, close } = await start(t, {
        options: { ...options, refusalLog, reportOnly, clock: time.clock },
        log,
      })
      const refusals = () => log.warned().filter(({ fields }) => 'code' in fields)
      for (let i = 0; i < 14; i += 1) await ask({ path: `/orders/${i}` })
      t.equal(refusals().length, count)
      await close()
      const lines = refusals().slice(count)
      if (refusalLog === 'all') t.strictSame(lines, [])
      else
        t.match(lines, [
          { fields: { code: 'ID_TOKEN_MISSING', suppressed: 4, enforced: !reportOnly } },
        ])
    }
  })
}

t.test('another value is refused', (t) => {
  t.throws(() => googleIdToken({ ...options, refusalLog: 'none' as never }), {
    message: "Option refusalLog is 'none'; accepted: 'limited' or 'all'",
  })
  t.end()
})
