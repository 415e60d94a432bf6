/** What SECURITY.md and docs/security-rules.md promise has a test that is there. */
import t from 'tap'
import { textOf } from './blocks.ts'
import { goneFrom, namedIn } from './promises.ts'

for (const page of ['SECURITY.md', 'docs/security-rules.md']) {
  t.test(`${page}: every file, test and fixture row that it names is there`, (t) => {
    t.strictSame(goneFrom(page), [])
    t.ok(namedIn(page) > 30)
    t.end()
  })
}

t.test('each threat in SECURITY.md has a promise and a proof', (t) => {
  const [, section = ''] = textOf('SECURITY.md').split('### What is promised, threat by threat\n')
  const [, , ...threats] = (section.split('\n### ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
  t.ok(threats.length >= 15)
  for (const row of threats) {
    const [, threat = '', promise = '', proof = ''] = row.split(/(?<!\\)\|/)
    t.ok(threat.trim() !== '' && promise.trim() !== '')
    t.match(proof, /`test\/[^`]+`: "|`[a-z-]+\/[\w*-]+`/, threat.trim())
  }
  t.end()
})

t.test('each rule in docs/security-rules.md that applies has a place and a proof', (t) => {
  const rules = textOf('docs/security-rules.md')
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| (?:rule|-)/.test(line))
  t.ok(rules.length >= 35, `${rules.length} rules`)
  for (const row of rules) {
    const [, rule = '', applies = '', place = '', proof = ''] = row.split(/(?<!\\)\|/)
    if (applies.trim().startsWith('no')) continue
    t.match(place, /`src\/[^`]+`/, rule.trim())
    t.match(proof, /`test\/[^`]+`: "|`[a-z-]+\/[\w*-]+`/, rule.trim())
  }
  t.end()
})
