import t from 'tap'
import { cellsOf, countsOf, failuresIn, FASTIFIES, NODES } from './cells.ts'

const ENDED = '# { total: 15, pass: 14, fail: 1 }\n# time=1ms\n'

t.test('each Node with each Fastify that runs on it, all tests with the newest 5', (t) => {
  const cells = cellsOf(NODES, FASTIFIES, false)
  t.same(
    cells.filter(({ tests }) => tests === 'all').map(({ node, fastify }) => [node, fastify]),
    NODES.map((node) => [node, '5']),
  )
  t.same(
    cells.filter(({ fastify }) => fastify.startsWith('^6')).map(({ node }) => node),
    ['24', '26'],
  )
  t.equal(cells.length, 10)
  t.ok(cellsOf(NODES, FASTIFIES, true).every(({ tests }) => tests === 'all'))
  t.throws(() => cellsOf(['22'], ['6.0.0'], true), /no version of Fastify/)
  t.end()
})

t.test('the counts are tap’s own', (t) => {
  t.same(countsOf(`    # { total: 1, pass: 1 }\n${ENDED}`, 1), { passed: 14, failed: 1 })
  t.same(countsOf('# { total: 15, pass: 15 }\n', 0), { passed: 15, failed: 0 })
  const tap =
    '        not ok 1 - should be equal\n    not ok 2 - adds # time=1ms\n    ok 3 - b\nnot ok 1 - a.test.ts\n'
  t.same(failuresIn(tap), ['adds', 'a.test.ts'])
  t.end()
})

t.test('a run that ends badly has failed, whatever it has counted', (t) => {
  t.same(countsOf('# { total: 15, pass: 15 }\n', 1), { passed: 15, failed: 1 }, 'coverage')
  t.same(countsOf('', 0), { passed: 0, failed: 1 }, 'no test at all')
  t.same(countsOf('', null), { passed: 0, failed: 1 }, 'killed')
  t.end()
})
