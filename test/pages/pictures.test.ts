/** The pictures of docs/ are what their script makes. */
import t from 'tap'
import { PICTURES } from '../../scripts/pictures/pictures.ts'
import { textOf } from './blocks.ts'

const made = new Map<string, string>()
for (const [file, make] of Object.entries(PICTURES)) made.set(file, await make())

t.test('each picture is as it is made: npm run picture', (t) => {
  for (const [file, picture] of made) t.equal(textOf(`docs/${file}`), picture, file)
  t.end()
})

t.test('no picture holds a token', (t) => {
  for (const [file, picture] of made) t.notMatch(picture, /eyJ|[\w-]{60,}/, file)
  t.end()
})

t.test('two-headers.svg: the signature is removed from the header that is checked', (t) => {
  const texts = textsOf('two-headers.svg')
  const [both, one] = [texts.slice(0, texts.indexOf('The token in Authorization only')), texts]
  const removed = 'header.claims.SIGNATURE_REMOVED_BY_GOOGLE'
  const atService = both.lastIndexOf('X-Serverless-Authorization: Bearer')
  t.same(both.slice(atService + 1, atService + 4), [
    removed,
    'Authorization: Bearer',
    'header.claims.signature',
  ])
  t.ok(both.includes('verifies the token in Authorization'))
  t.same(one.slice(-4), [removed, 'ID_TOKEN_SIGNATURE_REMOVED', 'status 401', 'status 401'])
  t.end()
})

t.test('what-to-configure.svg has every cell of the table of the README', (t) => {
  const picture = textsOf('what-to-configure.svg').join(' ')
  const [, section = ''] = textOf('README.md').split(/^## (?:On Cloud Run|Test your service)$/m)
  const rows = section.match(/^\| .* \|$/gm)?.slice(2) ?? []
  t.ok(rows.length > 7)
  for (const cell of rows.flatMap((row) => row.split('|').slice(1, -1))) {
    const text = cell
      .replace(/ \(\[how\].*\)/, '')
      .replaceAll('`', '')
      .trim()
    if (text !== 'the same') t.ok(picture.includes(text), text)
  }
  t.end()
})

t.test('explain.svg and allow.svg hold what is worth a picture', (t) => {
  const explained = textsOf('explain.svg').join(' ')
  t.match(explained, /FAIL audience expected .* found .* remedy .*--impersonate-service-account/)
  t.match(explained, 'ID_TOKEN_AUDIENCE_MISMATCH, status 401')
  const allowed = textsOf('allow.svg').join(' ')
  t.match(allowed, '"login@shop-prod.iam.gserviceaccount.com", // 38 calls')
  t.match(allowed, '// { email: "dana@example.com" }, // 1 call; a person')
  t.end()
})

/** The texts of a picture, in their order. */
function textsOf(file: string): string[] {
  const picture = made.get(file) ?? ''
  return [...picture.matchAll(/<text [^>]*>([^<]+)</g)].map(([, text = '']) =>
    text.replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
  )
}
