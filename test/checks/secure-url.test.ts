/** Which URLs and hosts nobody else can listen to. */
import t from 'tap'
import {
  isLoopback,
  parseHttpHosts,
  parseSecureUrl,
  warnOfPlainHttp,
} from '../../src/checks/secure-url.ts'
import { warnings } from '../helpers/captured-log.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'

t.test('a URL is https, or http that stays on this host or goes to a named one', (t) => {
  const parse = (value: unknown, hosts?: readonly string[]) =>
    outcomeOf(() => parseSecureUrl('a', value, hosts))
  for (const [value, url] of [
    ['https://a.example', 'https://a.example/'],
    ['HTTPS://A.example/b?c', 'https://a.example/b?c'],
    ['http://localhost:1', 'http://localhost:1/'],
    ['http://127.9.9.9/', 'http://127.9.9.9/'],
    ['http://[::1]/', 'http://[::1]/'],
  ] as const) {
    t.equal(parse(value), url)
  }
  const accepted = 'accepted: an https URL without credentials, or http on a loopback host'
  for (const bad of [
    'http://a.example',
    'http://[::2]/',
    'http://128.0.0.1/',
    'ftp://localhost/',
    'wss://a',
    'a',
    '',
    7,
    undefined,
    new URL('https://a.example'),
  ]) {
    const message = String(parse(bad))
    t.match(message, /^Option a is /)
    t.ok(message.endsWith(`; ${accepted}`), message)
  }
  const named = `${accepted} or on a host that the option allowHttpHosts names`
  t.equal(parse('http://google:1/x', ['google']), 'http://google:1/x')
  t.equal(parse('http://other/', ['google']), `Option a is 'http://other/'; ${named}`)
  t.equal(parse('ftp://google/', ['google']), `Option a is 'ftp://google/'; ${named}`)
  for (const secret of ['https://user@a.example', 'https://:secret@a.example']) {
    t.equal(parse(secret), `Option a is a URL with credentials; ${accepted}`)
  }
  t.end()
})

t.test('which hosts are this machine', (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.255.255.255', '::1', '[::1]'])
    t.ok(isLoopback(host), host)
  for (const host of [
    '',
    'a',
    'localhost.a',
    '126.0.0.1',
    '128.0.0.1',
    '::2',
    '[::2]',
    '[localhost',
    'x[::1]',
    '[::1]x',
    '1[27.0.0.1]',
    '[127.0.0].1',
  ]) {
    t.notOk(isLoopback(host), host)
  }
  t.end()
})

t.test('hosts for http are exact names', (t) => {
  t.strictSame(parseHttpHosts(undefined), [])
  const hosts = ['a', 'a.b', 'ab.cd', 'a_b-1.c', '_a', 'a'.repeat(63)]
  t.strictSame(parseHttpHosts(hosts), hosts)
  t.not(parseHttpHosts(hosts), hosts)
  for (const bad of [
    'A',
    '-a',
    '.a',
    'a.',
    'a..b',
    'a b',
    '*',
    '*.a',
    'a:1',
    '10.1',
    '0x7f.1',
    '1.2.3.4',
    '::1',
    '',
    'a'.repeat(64),
    `a.${'b'.repeat(64)}`,
    7,
    null,
  ]) {
    t.match(
      outcomeOf(() => parseHttpHosts(['a', bad])),
      /^Option allowHttpHosts is .*; accepted: a list of exact host names/,
    )
  }
  t.match(
    outcomeOf(() => parseHttpHosts('a')),
    /^Option allowHttpHosts is 'a'/,
  )
  t.match(
    outcomeOf(() => parseHttpHosts(null)),
    /^Option allowHttpHosts is null/,
  )
  t.end()
})

t.test('plain http to a named host is warned of', (t) => {
  const { lines, logger } = warnings()
  for (const url of ['https://a.example/', 'http://localhost/', 'http://127.0.0.1/']) {
    warnOfPlainHttp(logger, { option: 'a', url, exposed: 'the keys' })
  }
  t.strictSame(lines, [])
  warnOfPlainHttp(logger, { option: 'a', url: 'http://google:1/', exposed: 'the keys' })
  t.match(lines, [
    {
      finding: { option: 'a', host: 'google' },
      message: /^The option allowHttpHosts names google: the keys travel unencrypted/,
    },
  ])
  t.strictSame(Object.keys(lines[0]?.finding ?? {}), ['option', 'host'])
  t.end()
})
