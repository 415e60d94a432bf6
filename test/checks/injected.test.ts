/** What an application injects: the clock, `fetch` and the logger. */
import t, { type Test } from 'tap'
import {
  failsafe,
  parseClock,
  parseFetch,
  parseLogger,
  parseObjectWith,
  warnAtStart,
  warnProcess,
  type Logger,
} from '../../src/checks/injected.ts'
import { parseDateClock } from '../../src/checks/parse-options.ts'
import { warnings } from '../helpers/captured-log.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'

/** What the process is warned of while something runs. */
function processWarnings(t: Test, run: () => unknown): unknown[][] {
  const { emitWarning } = process
  const warned: unknown[][] = []
  process.emitWarning = (...given: unknown[]) => {
    warned.push(given)
  }
  try {
    run()
  } finally {
    process.emitWarning = emitWarning
  }
  t.equal(process.emitWarning, emitWarning)
  return warned
}

t.test('the clock is a function that returns a valid date, each time', (t) => {
  t.equal(parseClock(undefined), Date.now)
  let date = new Date(1)
  const now = parseClock(() => date)
  t.equal(now(), 1)
  date = new Date(2)
  t.equal(now(), 2)
  for (const bad of [() => 1, () => new Date(NaN), () => undefined]) {
    t.match(
      outcomeOf(() => parseClock(bad)),
      /^Option clock is .*; accepted: a function that returns a valid Date$/,
    )
    t.match(
      outcomeOf(() => parseDateClock(bad)),
      /^Option clock is /,
    )
  }
  for (const bad of [null, 7, {}]) {
    t.match(
      outcomeOf(() => parseClock(bad)),
      /^Option clock is .*; accepted: a function$/,
    )
  }
  const clock = (): Date => date
  t.equal(parseDateClock(clock), clock)
  t.ok(Math.abs(parseDateClock(undefined)().getTime() - Date.now()) < 60_000)
  t.end()
})

t.test('fetch is the given one, or the global one of the moment of the call', async (t) => {
  const given = (() => undefined) as unknown as typeof fetch
  t.equal(parseFetch(given), given)
  t.match(
    outcomeOf(() => parseFetch('a')),
    /^Option fetch is 'a'; accepted: a function$/,
  )
  const byDefault = parseFetch(undefined)
  const { fetch: before } = globalThis
  const calls: unknown[][] = []
  globalThis.fetch = ((...args: unknown[]) => {
    calls.push(args)
  }) as typeof fetch
  t.teardown(() => {
    globalThis.fetch = before
  })
  void byDefault('https://a.example', { method: 'POST' })
  t.strictSame(calls, [['https://a.example', { method: 'POST' }]])
})

t.test('an injected object has the method that is used, or is missing', (t) => {
  const object = { warn: () => undefined }
  t.equal(parseObjectWith('a', object, 'warn', 'b'), object)
  t.equal(parseObjectWith('a', undefined, 'warn', 'b'), undefined)
  t.equal(parseLogger(object), object)
  for (const bad of [null, {}, { warn: 1 }, 7, 'a']) {
    t.match(
      outcomeOf(() => parseObjectWith('a', bad, 'warn', 'b')),
      /^Option a is .*; accepted: b$/,
    )
    t.match(
      outcomeOf(() => parseLogger(bad)),
      /^Option logger is .*; accepted: a logger with warn\(object, message\)$/,
    )
  }
  t.end()
})

t.test('without a logger the process is warned, with what was found', (t) => {
  const logger = parseLogger(undefined)
  t.strictSame(
    processWarnings(t, () => {
      logger.warn({}, 'a')
      logger.warn({ b: 1 }, 'c')
    }),
    [
      ['a', { type: 'GoogleIdTokenWarning' }],
      ['c', { type: 'GoogleIdTokenWarning', detail: '{"b":1}' }],
    ],
  )
  t.end()
})

t.test('a warning at start is not lost if the logger is silent or out of order', (t) => {
  const { lines, logger } = warnings()
  const byProcess = ['a', { type: 'GoogleIdTokenWarning', detail: '{"b":1}' }]
  t.strictSame(
    processWarnings(t, () => {
      warnAtStart(logger, 'a', { b: 1 })
    }),
    [],
  )
  t.strictSame(lines, [{ finding: { b: 1 }, message: 'a' }])
  warnAtStart(logger, 'c')
  t.strictSame(lines[1], { finding: {}, message: 'c' })
  const nothing = (): void => undefined
  t.strictSame(
    processWarnings(t, () => {
      warnAtStart({ warn: nothing, fatal: nothing } as Logger, 'a', { b: 1 })
    }),
    [byProcess],
  )
  const problem = new Error('out of order')
  const broken: Logger = {
    warn: () => {
      throw problem
    },
  }
  t.strictSame(
    processWarnings(t, () => {
      warnAtStart(broken, 'a', { b: 1 })
    }),
    [[problem], byProcess],
  )
  t.strictSame(
    processWarnings(t, () => {
      failsafe(broken).warn({}, 'a')
    }),
    [[problem]],
  )
  failsafe(logger).warn({ d: 1 }, 'e')
  t.strictSame(lines[2], { finding: { d: 1 }, message: 'e' })
  t.strictSame(
    processWarnings(t, () => {
      warnProcess('a token, perhaps')
    }),
    [['a value that is not an Error was thrown']],
  )
  t.end()
})
