import fc from 'fast-check'
import t from 'tap'
import { JsonElements } from '../../../src/cli/allow/json-elements.ts'

function split(text: string, chunkLength: number, longest?: number): [string[], number] {
  const elements = new JsonElements(longest)
  const bytes = Buffer.from(text)
  const texts: Buffer[] = []
  for (let start = 0; start < bytes.length; start += chunkLength) {
    texts.push(...elements.push(bytes.subarray(start, start + chunkLength)))
  }
  texts.push(...elements.end())
  return [texts.map(String), elements.tooLong]
}

t.test('lines and array elements come out whole, however the chunks are cut', async (t) => {
  const chunk = fc.integer({ min: 1, max: 40 })
  const values = fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()))
  fc.assert(
    fc.property(values, chunk, fc.constantFrom(undefined, 2), (values, length, indent) => {
      const [texts] = split(JSON.stringify(values, null, indent), length)
      t.same(
        texts.map((text) => JSON.parse(text) as unknown),
        values,
      )
    }),
    { numRuns: 50 },
  )
  fc.assert(
    fc.property(values, chunk, fc.constantFrom('\n', '\r\n'), (values, length, newline) => {
      const [texts] = split(values.map((one) => JSON.stringify(one)).join(newline), length)
      t.same(
        texts.map((text) => JSON.parse(text) as unknown),
        values,
      )
    }),
    { numRuns: 50 },
  )
})

t.test('brackets, commas and quotes in strings end nothing', async (t) => {
  const value = { a: '],[{"\\', b: [1, [2, { c: '"}' }]] }
  const [texts] = split(JSON.stringify([value, value]), 3)
  t.same(
    texts.map((text) => JSON.parse(text) as unknown),
    [value, value],
  )
})

t.test('two arrays may follow each other, and a byte order mark may come first', async (t) => {
  const [texts] = split('\uFEFF[{"a":1}]\n[]\n[{"a":2},{"a":3}]\n', 2)
  t.same(texts, ['{"a":1}', '{"a":2}', '{"a":3}'])
})

t.test('a line with a bracket at its beginning is a line', async (t) => {
  t.equal(split('[12:00] start\n{"a":1}\n', 5)[0].at(-1), '{"a":1}')
  t.same(split('started\n[{\n{"a":1}', 5)[0], ['started', '[{', '{"a":1}'])
})

t.test('a text over the limit is left out and counted, the next one is read', async (t) => {
  const long = JSON.stringify({ a: 'x'.repeat(200) })
  t.same(split(`[${long},{"a":1}]`, 7, 100), [['{"a":1}'], 1])
  t.same(split(`${long}\n{"a":1}\n${long}`, 7, 100), [['{"a":1}'], 2])
})
