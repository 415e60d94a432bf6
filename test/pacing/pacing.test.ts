/** How often is often enough: back-off, budgets and the clock under them. */
import t from 'tap'
import { Backoff } from '../../src/pacing/backoff.ts'
import { RefetchBudget } from '../../src/pacing/refetch-budget.ts'
import { steadyClock } from '../../src/pacing/steady-clock.ts'

t.test('back-off doubles up to a minute, with full jitter', async (t) => {
  const waits = (random: number): number[] => {
    const backoff = new Backoff(() => random)
    return Array.from({ length: 9 }, () => {
      backoff.failed(1_000)
      return backoff.remaining(1_000)
    })
  }
  t.strictSame(
    waits(1),
    [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000),
  )
  t.strictSame(waits(0), Array(9).fill(0))
  const backoff = new Backoff(() => 1)
  backoff.failed(0)
  t.equal(backoff.remaining(400), 600)
  t.equal(backoff.remaining(1_000), 0)
  backoff.succeeded()
  t.equal(backoff.remaining(0), 0)
})

t.test('the refetch budget: five at once, then one every ten seconds', async (t) => {
  const budget = new RefetchBudget()
  const takes = (now: number): number =>
    Array.from({ length: 100 }, () => budget.take(now)).filter(Boolean).length
  t.equal(takes(0), 5)
  t.equal(takes(9_999), 0)
  t.equal(takes(10_000), 1)
  t.equal(takes(19_999), 0)
  t.equal(takes(35_000), 2)
  t.equal(takes(40_000), 1)
  t.equal(takes(1_000_000), 5)
  const other = new RefetchBudget({ capacity: 2, refillInterval: 100 })
  t.equal([0, 0, 0, 99, 100, 100].filter((now) => other.take(now)).length, 3, 'or as it is made')
})

t.test('the steady clock goes on where the given one stands still or is set back', async (t) => {
  let now = 1_000
  let monotonic = 50
  const steady = steadyClock(
    () => now,
    () => monotonic,
  )
  t.equal(steady(), 1_000)
  monotonic = 80
  t.equal(steady(), 1_030)
  now = 0
  t.equal(steady(), 1_030)
  now = 5_000
  t.equal(steady(), 5_000)
  t.ok(steadyClock(() => 0)() >= 0)
})
