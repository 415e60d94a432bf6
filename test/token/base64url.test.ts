import fc from 'fast-check'
import t from 'tap'
import { decodeText, isBase64url } from '../../src/token/base64url.ts'

/** RFC 4648 section 5, without padding: exactly what an encoder writes. */
function isWrittenByAnEncoder(segment: string): boolean {
  const bytes = Buffer.from(segment, 'base64url')
  return segment !== '' && bytes.toString('base64url') === segment
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

t.test('each last character, of a last group of each length', async (t) => {
  for (const head of ['', 'A', 'AB', 'ABC', 'ABCD', 'ABCDE', 'ABCDEF', 'ABCDEFG']) {
    for (const last of ALPHABET) {
      const segment = head + last
      if (isBase64url(segment) !== isWrittenByAnEncoder(segment)) t.fail(segment)
    }
  }
})

t.test('each character that is no base64url, in each place', async (t) => {
  for (const good of ['QUJD', 'QUI', 'QQ', 'QUJDQUJD']) {
    t.ok(isBase64url(good))
    for (let at = 0; at <= good.length; at += 1) {
      for (let code = 0; code < 0x400; code += 1) {
        const character = String.fromCharCode(code)
        if (ALPHABET.includes(character)) continue
        const [start, end] = [good.slice(0, at), good.slice(at)]
        for (const segment of [start + character + end, start + character + end.slice(1)]) {
          if (isBase64url(segment)) t.fail(JSON.stringify(segment))
        }
      }
    }
  }
})

t.test('what an encoder writes, and nothing else', async (t) => {
  const damaged = fc
    .tuple(fc.uint8Array(), fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }), fc.nat(2))
    .map(([bytes, at, inserted, removed]) => {
      const segment = Buffer.from(bytes).toString('base64url')
      const place = at % (segment.length + 1)
      return segment.slice(0, place) + inserted + segment.slice(place + removed)
    })
  fc.assert(
    fc.property(damaged, (segment) => isBase64url(segment) === isWrittenByAnEncoder(segment)),
    { numRuns: 20_000 },
  )
  t.pass()
})

t.test('text is UTF-8', async (t) => {
  const encoded = (bytes: string | number[]): string =>
    Buffer.from(bytes as string).toString('base64url')
  t.equal(decodeText(encoded('{"name":"Zoë"}')), '{"name":"Zoë"}')
  t.equal(decodeText(encoded('a \uFFFD that was sent')), 'a \uFFFD that was sent')
  t.equal(decodeText(encoded([0x61, 0xff])), null)
  t.equal(decodeText(''), null)
  t.equal(decodeText('QUJD='), null)
})
