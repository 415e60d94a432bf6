/** Which audiences are one, and which are probably a mistake. */
import t from 'tap'
import { parseAudiences, warnAboutHosts } from '../../src/policy/audiences.ts'
import { warnings } from '../helpers/captured-log.ts'

t.test('an origin is also accepted with a slash, and without; nothing else is', (t) => {
  for (const [configured, spellings] of [
    ['https://a.example', ['https://a.example/', 'https://a.example']],
    ['https://a.example/', ['https://a.example', 'https://a.example/']],
    ['http://a.example', ['http://a.example/', 'http://a.example']],
    ['https://a.example/path', ['https://a.example/path']],
    ['https://a.example/path/', ['https://a.example/path/']],
    ['https://a.example?q', ['https://a.example?q']],
    ['xhttps://a.example', ['xhttps://a.example']],
    ['urn:https://a.example', ['urn:https://a.example']],
    ['a.example', ['a.example']],
  ] as const) {
    const { spellings: found } = parseAudiences('audience', configured)
    t.strictSame([...found.keys()], spellings)
    t.strictSame([...new Set(found.values())], [configured])
  }
  const both = parseAudiences('audience', ['https://a.example', 'https://a.example/'])
  t.equal(both.spellings.get('https://a.example'), 'https://a.example', 'as it is spelled')
  t.equal(both.spellings.get('https://a.example/'), 'https://a.example/')
  t.end()
})

t.test('several audiences in one string are refused', (t) => {
  for (const audience of ['a,b', 'a b', 'a\tb']) {
    t.throws(() => parseAudiences('audience', ['first', audience]), {
      code: 'ID_TOKEN_OPTION_INVALID',
      message: /^Option audience is .*; accepted: each audience as a string of its own/,
    })
  }
  t.end()
})

t.test('an audience that looks like a host is warned of, once each', (t) => {
  const warnedOf = (...audiences: string[]): string[] => {
    const { lines, logger } = warnings()
    warnAboutHosts(audiences, logger)
    return lines.map(({ message }) => /^the audience (\S+) has no https:/.exec(message)?.[1] ?? '')
  }
  for (const host of [
    'a.example.com',
    'a.example.com:8443',
    'a.example.com/path',
    'a.example.com:1/path',
    'A.Example.COM',
    'a.uk',
    'xn--a-0.example',
  ]) {
    t.strictSame(warnedOf(host, host), [host])
  }
  t.strictSame(
    warnedOf(
      'https://a.example.com',
      'a',
      'a.v1',
      'a.c',
      'a.example.com,b',
      'a.example.com:port',
      'a.example.com:',
      'a_b.example.com',
      'urn:a.example.com',
      '1-a.apps.googleusercontent.com',
    ),
    [],
  )
  t.strictSame(warnedOf('.apps.googleusercontent.com.example'), [], 'no host begins with a dot')
  t.end()
})
