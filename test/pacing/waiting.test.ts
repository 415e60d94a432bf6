/** Waits and runs: who joins, who gives up, and what is left behind. */
import t from 'tap'
import { Backoff } from '../../src/pacing/backoff.ts'
import { durationInWords } from '../../src/pacing/duration-in-words.ts'
import { onceAMinute } from '../../src/pacing/once-a-minute.ts'
import { RefetchBudget } from '../../src/pacing/refetch-budget.ts'
import { SingleFlight } from '../../src/pacing/single-flight.ts'
import { TimeWindow } from '../../src/pacing/time-window.ts'
import { within } from '../../src/pacing/within.ts'

function deferred(): {
  readonly promise: Promise<string>
  readonly resolve: (text: string) => void
} {
  let resolve: (text: string) => void = () => undefined
  const promise = new Promise<string>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

t.test('a duration has its two largest units, without those that are nought', (t) => {
  t.strictSame(
    [
      0, 0.9, 1, 1.9, 59, 60, 61, 120, 3_600, 3_601, 3_660, 7_325, 86_400, 90_000, 86_401, 180_000,
    ].map(durationInWords),
    [
      '0 seconds',
      '0 seconds',
      '1 second',
      '1 second',
      '59 seconds',
      '1 minute',
      '1 minute 1 second',
      '2 minutes',
      '1 hour',
      '1 hour',
      '1 hour 1 minute',
      '2 hours 2 minutes',
      '1 day',
      '1 day 1 hour',
      '1 day',
      '2 days 2 hours',
    ],
  )
  t.end()
})

t.test('an attempt may be made at once where none has failed', (t) => {
  t.equal(new Backoff(() => 1).remaining(0), 0)
  t.end()
})

t.test('once a minute', (t) => {
  let now = 0
  const isDue = onceAMinute(() => now)
  const at = (time: number): boolean => {
    now = time
    return isDue()
  }
  t.strictSame([0, 0, 59_999, 60_000, 60_001, 119_999, 120_000].map(at), [
    true,
    false,
    false,
    true,
    false,
    false,
    true,
  ])
  t.end()
})

t.test(
  'a budget is full again when enough time has passed, and keeps parts of an interval',
  (t) => {
    const budget = new RefetchBudget({ capacity: 3, refillInterval: 100 })
    const takes = (now: number): number =>
      Array.from({ length: 10 }, () => budget.take(now)).filter(Boolean).length
    t.strictSame([0, 150, 199, 200, 550, 599, 649, 650].map(takes), [3, 1, 0, 1, 3, 0, 0, 1])
    t.end()
  },
)

t.test('others join a run until it ends or is given up', async (t) => {
  const flights = new SingleFlight<string>()
  t.equal(flights.inProgress(0), null)
  const first = deferred()
  let givenUp = 0
  const giving = {
    giveUpAt: 100,
    giveUp: () => {
      givenUp += 1
    },
  }
  const numbers: number[] = []
  const run = flights.start((number) => {
    numbers.push(number)
    return first.promise
  }, giving)
  t.equal(flights.inProgress(0), run)
  t.equal(flights.inProgress(99), run)
  t.equal(givenUp, 0)
  t.equal(flights.inProgress(100), null)
  t.equal(flights.inProgress(100), null)
  t.equal(givenUp, 1, 'once')
  const second = deferred()
  const later = flights.start((number) => {
    numbers.push(number)
    return second.promise
  }, giving)
  first.resolve('late')
  t.equal(await run, 'late', 'it ends by itself')
  t.equal(flights.inProgress(0), later, 'the end of the first is not that of the second')
  second.resolve('in time')
  t.equal(await later, 'in time')
  t.equal(flights.inProgress(0), null)
  t.strictSame(numbers, [1, 2])
  t.strictSame(
    [2, 1, 2, 3].map((number) => flights.claimNewest(number)),
    [true, false, false, true],
  )
})

t.test('a run that fails is over, and nobody has to wait for it', async (t) => {
  const flights = new SingleFlight<string>()
  const rejections: unknown[] = []
  const note = (error: unknown): void => {
    rejections.push(error)
  }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  void flights.start(() => Promise.reject(new Error('gone')), {
    giveUpAt: 1,
    giveUp: () => undefined,
  })
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  t.equal(flights.inProgress(0), null)
  t.strictSame(rejections, [])
})

t.test('a window is open from its first use, and over once', (t) => {
  const { setTimeout: set, clearTimeout: clear } = globalThis
  const timers = new Map<object, { readonly run: () => void; readonly length: number }>()
  let isHeld = false
  globalThis.setTimeout = ((run: () => void, length: number) => {
    isHeld = true
    const timer = {
      unref: () => {
        isHeld = false
        return timer
      },
    }
    timers.set(timer, { run, length })
    return timer
  }) as unknown as typeof set
  globalThis.clearTimeout = ((timer: object) => timers.delete(timer)) as typeof clear
  t.teardown(() => {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear })
  })
  let [now, ends] = [0, 0]
  const timeWindow = new TimeWindow({ length: 100, now: () => now, over: () => (ends += 1) })
  const runTimers = (): void => {
    for (const { run } of [...timers.values()]) run()
  }
  timeWindow.end()
  t.equal(ends, 0, 'none is open')
  timeWindow.use()
  t.strictSame(
    [...timers.values()].map(({ length }) => length),
    [100],
  )
  t.notOk(isHeld, 'the timer does not keep the process')
  now = 99
  timeWindow.use()
  t.strictSame([timers.size, ends], [1, 0])
  now = 100
  timeWindow.use()
  t.strictSame([timers.size, ends], [1, 1], 'a timer that stood still is replaced')
  runTimers()
  t.strictSame([timers.size, ends], [0, 2])
  timeWindow.end()
  t.equal(ends, 2)
  now = 150
  timeWindow.use()
  t.equal(timers.size, 1, 'another one, although the time of the last is not over')
  timeWindow.end()
  t.strictSame([timers.size, ends], [0, 3])
  t.end()
})

t.test('a wait ends with the promise, at its deadline, or by its signal', async (t) => {
  const never = new Promise<string>(() => undefined)
  const tooLate = (): Error => new Error('too late')
  t.equal(await within(Promise.resolve('a'), {}), 'a')
  await t.rejects(within(Promise.reject(new Error('gone')), {}), { message: 'gone' })
  const deadline = { timeout: 5, tooLate }
  await t.rejects(within(never, { deadline }), { message: 'too late' })
  const controller = new AbortController()
  const { signal } = controller
  const wait = within(never, { signal, deadline: { timeout: 60_000, tooLate } })
  controller.abort(new Error('enough'))
  await t.rejects(wait, { message: 'enough' })
  await t.rejects(within(Promise.resolve('a'), { signal }), { message: 'enough' }, 'from the start')
})

t.test('an ended wait leaves no timer and no listener behind', async (t) => {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: unknown, options?: unknown) => {
    listeners.add(listener)
    add(type as 'abort', listener as () => void, options as object)
  }
  signal.removeEventListener = (type: string, listener: unknown) => {
    if (type === 'abort') listeners.delete(listener)
  }
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const deadline = { timeout: 60_000, tooLate: () => new Error('too late') }
  await within(Promise.resolve(), { deadline, signal })
  await within(Promise.reject(new Error('gone')), { deadline, signal }).catch(() => undefined)
  t.equal(listeners.size, 0)
  t.equal(timers(), before)
  const late = within(new Promise(() => undefined), {
    deadline: { ...deadline, timeout: 1 },
    signal,
  })
  await t.rejects(late, { message: 'too late' })
  t.equal(listeners.size, 0)
  const aborted = within(new Promise(() => undefined), { deadline, signal })
  t.equal(timers(), before + 1)
  controller.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  t.equal(listeners.size, 0)
  t.equal(timers(), before)
})
