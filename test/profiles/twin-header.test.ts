/** Which header may hold the intact copy of a token. */
import t from 'tap'
import { TOKEN_HEADERS } from '../../src/profiles/all-token-headers.ts'
import { parseTwinHeader } from '../../src/profiles/twin-header.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'

const parse = (value: unknown) => outcomeOf(() => parseTwinHeader('twinHeader', value))
const REFUSED = /^Option twinHeader is .*; accepted: the name of a header of your own, such as/s

t.test('a name of its own, in any case', (t) => {
  for (const name of [
    'x-my-header',
    'X-My-Header',
    "!#$%&'*+.^_`|~09az-",
    'a',
    'x-accept',
    'accepted',
    'x-content-a',
    'contents',
    'cookie3',
    'x-cookie',
    'hosts',
    'xorigin',
    'via-a',
    'x-forwarded',
    'x-x-forwarded-a',
    'proxy',
    'secret',
  ]) {
    t.equal(parse(name), name.toLowerCase())
  }
  t.end()
})

t.test('no name that HTTP gives a meaning to, and none of a token', (t) => {
  t.strictSame(TOKEN_HEADERS, [
    'x-serverless-authorization',
    'authorization',
    'x-goog-iap-jwt-assertion',
  ])
  for (const name of [
    ...TOKEN_HEADERS,
    'accept',
    'accept-charset',
    'accept-encoding',
    'access-control-',
    'access-control-request-method',
    'connection',
    'content-',
    'content-type',
    'cookie',
    'cookie2',
    'date',
    'dnt',
    'expect',
    'forwarded',
    'host',
    'keep-alive',
    'origin',
    'proxy-',
    'proxy-authorization',
    'referer',
    'sec-',
    'sec-fetch-mode',
    'set-cookie',
    'set-cookie2',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'user-agent',
    'via',
    'x-forwarded-',
    'x-forwarded-for',
  ]) {
    t.match(parse(name), REFUSED, name)
    t.match(parse(name.toUpperCase()), REFUSED, name)
  }
  t.end()
})

t.test('nothing that is no name of a header', (t) => {
  for (const name of ['', 'a b', 'a:', 'a\n', '(a)', 'ä', ' a', 'a ', 7, null, undefined, ['a']]) {
    t.match(parse(name), REFUSED)
  }
  t.end()
})
