/** How often the memory of recent tokens is wrong, and what it forgets when. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { RecentTokens } from '../../src/cache/recent-tokens.ts'

const tokenOf = (n: number): string => createHash('sha256').update(String(n)).digest('base64url')
const tokens = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => tokenOf(from + n))

/** Tokens that are never added. */
const others = tokens(1_000_000, 5_000)

t.test('fewer than five answers of a hundred are wrong when both filters are full', (t) => {
  for (const max of [1_000, 5_000]) {
    const recent = new RecentTokens(max)
    for (const token of tokens(0, 2 * max)) recent.add(token)
    const wrong = others.filter((token) => recent.has(token)).length
    t.ok(wrong < others.length * 0.045, `${wrong} of ${others.length}`)
  }
  t.end()
})

t.test('only the last eight characters count, and each of them does', (t) => {
  const recent = new RecentTokens(10)
  recent.add('0123456789abcdef')
  t.ok(recent.has('xxxxxxxx89abcdef'))
  for (let i = 8; i < 16; i += 1) {
    const other = `${'0123456789abcdef'.slice(0, i)}X${'0123456789abcdef'.slice(i + 1)}`
    t.notOk(recent.has(other), other)
  }
  t.end()
})

t.test('a token is known until twice as many others have come', (t) => {
  const recent = new RecentTokens(100)
  recent.add('first-token')
  for (const token of tokens(0, 99)) recent.add(token)
  t.ok(recent.has('first-token'))
  for (const token of tokens(100, 100)) recent.add(token)
  t.ok(recent.has('first-token'), 'in the older filter')
  for (const token of tokens(200, 99)) recent.add(token)
  t.ok(recent.has('first-token'), 'as it has come again')
  for (const token of tokens(300, 100)) recent.add(token)
  for (const token of tokens(400, 100)) recent.add(token)
  t.notOk(recent.has('first-token'))
  t.end()
})

t.test('a look-up of a token in the newer filter adds nothing', (t) => {
  const recent = new RecentTokens(2)
  recent.add('first-token')
  for (let n = 0; n < 10; n += 1) t.ok(recent.has('first-token'))
  recent.add('other-token')
  recent.add('third-token')
  t.ok(recent.has('first-token'), 'in the older filter')
  t.end()
})

t.test('a filter holds as many as it is made for, and no more', (t) => {
  const recent = new RecentTokens(2)
  const [first = '', ...later] = tokens(0, 5)
  recent.add(first)
  for (const token of later) recent.add(token)
  t.notOk(recent.has(first))
  t.ok(recent.has(later[1] ?? ''), 'the third is in the older filter')
  t.end()
})
