/** Which token a request presents, header by header and character by character. */
import t from 'tap'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import { bearerToken, tokenIn } from '../../src/request/bearer-token.ts'
import {
  decidingHeader,
  decidingHeaderName,
  headerValue,
} from '../../src/request/deciding-header.ts'
import { intactCopy, isSignatureRemoved, MARKER } from '../../src/request/removed-signature.ts'
import {
  rawHeadersOf,
  requestHeadersOf,
  type HeadersLike,
  type RequestHeaders,
  type RequestLike,
} from '../../src/request/request-like.ts'
import { presentedToken, type Presentation } from '../../src/request/token-from-headers.ts'

const BOTH = ['x-serverless-authorization', 'authorization'] as const
const raw = (...rawHeaders: string[]): RequestHeaders => ({ headers: {}, rawHeaders })
const withServer = (maxHeadersCount: number | null | undefined, ...rawHeaders: string[]) => ({
  headers: {},
  rawHeaders,
  socket: { server: { maxHeadersCount } },
})

/** What a log says of a refusal. */
function refusalOf(outcome: unknown): unknown[] {
  if (!(outcome instanceof IdTokenError)) return ['no refusal', outcome]
  return [outcome.code, outcome.detail.expected, outcome.detail.found]
}

t.test('a token is what follows the scheme and spaces, alone', (t) => {
  for (const [value, token] of [
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
    ['Bearer  abc', 'abc'],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer   ', undefined],
    ['Bearer\tabc', undefined],
    ['Bearer \tabc', undefined],
    ['Bearer abc ', undefined],
    ['Bearer abc\t', undefined],
    ['Bearer a,b', undefined],
    ['Bearer a b', undefined],
    ['bearer a,b', undefined],
    ['bearer  a\tb', undefined],
    ['Bearerabc', undefined],
    ['Bearer,abc', undefined],
    [' Bearer abc', undefined],
    ['Basic abc', undefined],
    ['Digest Bearer', undefined],
    ['abc', undefined],
    ['', undefined],
  ] as const) {
    t.equal(tokenIn(value, 'Bearer'), token, JSON.stringify(value))
  }
  for (const [value, token] of [
    ['abc', 'abc'],
    ['', undefined],
    ['a b', undefined],
    ['a,b', undefined],
    ['a\t', undefined],
  ] as const) {
    t.equal(tokenIn(value, null), token, JSON.stringify(value))
  }
  t.end()
})

t.test('what is no token is refused, and a log shows no part of it', (t) => {
  const name = 'authorization'
  const malformed = (found: string) => [
    'ID_TOKEN_REQUEST_MALFORMED',
    'authorization: Bearer <token>',
    found,
  ]
  const unsupported = (found: string) => [
    'ID_TOKEN_SCHEME_UNSUPPORTED',
    'authorization: Bearer <token>',
    found,
  ]
  for (const [value, refused] of [
    ['Bearer', malformed('no token')],
    ['Bearer  ', malformed('no token')],
    ['Bearer a b', malformed('more than one token')],
    ['bearer a,b', malformed('more than one token')],
    ['Bearer\t', malformed('more than one token')],
    ['', unsupported('an empty header')],
    [' Bearer abc', unsupported('an empty header')],
    ['Basic abc', unsupported('basic')],
    ['Digest a', unsupported('digest')],
    ['JWT a', unsupported('jwt')],
    ['jwt', unsupported('jwt')],
    ['xbasic a', unsupported('no known scheme')],
    ['basicx a', unsupported('no known scheme')],
    ['secret', unsupported('no known scheme')],
  ] as const) {
    t.strictSame(refusalOf(bearerToken({ name, value }, 'Bearer')), refused, JSON.stringify(value))
  }
  t.equal(bearerToken({ name, value: 'Bearer abc' }, 'Bearer'), 'abc')
  t.equal(bearerToken({ name, value: 'abc' }, null), 'abc')
  t.strictSame(refusalOf(bearerToken({ name: 'x-a', value: 'a b' }, null)), [
    'ID_TOKEN_REQUEST_MALFORMED',
    'x-a: <token>',
    'more than one token',
  ])
  t.strictSame(refusalOf(bearerToken({ name: 'x-a', value: '' }, null)), [
    'ID_TOKEN_REQUEST_MALFORMED',
    'x-a: <token>',
    'no token',
  ])
  t.end()
})

t.test('one header is read as it was sent, and two of one name are refused', (t) => {
  const value = (...headers: string[]) => headerValue(raw(...headers), 'authorization')
  t.equal(value(), undefined)
  t.equal(value('Authorization', 'a'), 'a')
  t.equal(value('x', 'authorization', 'AUTHORIZATION', ''), '')
  t.equal(value('authorizatiom', 'a', 'authorization ', 'b', 'uthorization', 'c'), undefined)
  t.equal(value('authorization'), undefined, 'a name without a value')
  t.equal(value('authorization', 'a', 'authorization'), 'a', 'it is no second header')
  for (const second of ['a', 'b', '']) {
    t.strictSame(refusalOf(value('authorization', 'a', 'x', 'y', 'Authorization', second)), [
      'ID_TOKEN_REQUEST_MALFORMED',
      'one authorization header',
      'more than one',
    ])
  }
  t.end()
})

t.test('a list of headers that Node may have cut off is refused', (t) => {
  const many = (count: number) => Array.from({ length: count }, () => ['x', 'y']).flat()
  const outcome = (limit: number | null | undefined, count: number) =>
    refusalOf(headerValue(withServer(limit, ...many(count)), 'authorization'))
  const found = ['no refusal', undefined]
  const refused = (count: number) => [
    'ID_TOKEN_REQUEST_MALFORMED',
    'fewer headers than the server keeps',
    count,
  ]
  t.strictSame(outcome(2, 1), found)
  t.strictSame(outcome(2, 2), refused(2))
  t.strictSame(outcome(2, 3), refused(3))
  t.strictSame(outcome(0, 3000), found, 'no limit')
  for (const none of [null, undefined]) {
    t.strictSame(outcome(none, 999), found)
    t.strictSame(outcome(none, 1000), refused(1000))
  }
  t.strictSame(refusalOf(headerValue(raw(...many(1000)), 'authorization')), refused(1000))
  t.strictSame(
    refusalOf(headerValue({ ...raw(...many(1000)), socket: {} }, 'authorization')),
    refused(1000),
  )
  t.end()
})

t.test('the first header of the list that was sent decides, even if it is empty', (t) => {
  const sent = raw('Authorization', 'a', 'X-Serverless-Authorization', '')
  t.strictSame(decidingHeader(sent, BOTH), { name: 'x-serverless-authorization', value: '' })
  t.equal(decidingHeaderName(sent, BOTH), 'x-serverless-authorization')
  const one = raw('x', 'y', 'Authorization', 'a')
  t.strictSame(decidingHeader(one, BOTH), { name: 'authorization', value: 'a' })
  t.equal(decidingHeaderName(one, BOTH), 'authorization')
  for (const none of [raw(), raw('x', 'authorization'), raw('x', 'y', 'z', 'authorization')]) {
    t.equal(decidingHeader(none, BOTH), null)
    t.equal(decidingHeaderName(none, BOTH), null)
  }
  const twice = raw('authorization', 'a', 'authorization', 'b')
  t.equal(refusalOf(decidingHeader(twice, BOTH))[0], 'ID_TOKEN_REQUEST_MALFORMED')
  t.equal(decidingHeaderName(twice, BOTH), 'authorization')
  t.end()
})

t.test('the intact copy has the same bytes up to the signature, and is in one header', (t) => {
  const stripped = `header.payload${MARKER}`
  t.ok(isSignatureRemoved(stripped))
  t.notOk(isSignatureRemoved(`${stripped}x`))
  t.notOk(isSignatureRemoved(`${MARKER.slice(1)}.x.y`))
  const copyIn = (value: string, token = stripped, scheme: string | null = 'Bearer') =>
    intactCopy(raw('Authorization', value), token, { twinHeader: 'authorization', scheme })
  t.equal(copyIn('Bearer header.payload.sig'), 'header.payload.sig')
  t.equal(copyIn('header.payload.sig', stripped, null), 'header.payload.sig')
  for (const value of [
    'Basic header.payload.sig',
    'Bearer header.payload',
    'Bearer header.payloadx.sig',
    'Bearer xheader.payload.sig',
    'Bearer other.payload.sig',
    `Bearer ${stripped}`,
    'Bearer a b',
  ]) {
    t.equal(copyIn(value), null, value)
  }
  for (const signed of ['headerpayload', 'a.b.c', '.payload', 'header.', '.', '']) {
    t.equal(copyIn(`Bearer ${signed}.sig`, `${signed}${MARKER}`), null, signed)
  }
  const options = { twinHeader: 'x-twin', scheme: 'Bearer' }
  t.equal(intactCopy(raw('Authorization', 'Bearer header.payload.sig'), stripped, options), null)
  t.equal(
    refusalOf(intactCopy(raw('x-twin', 'a', 'x-twin', 'a'), stripped, options))[0],
    'ID_TOKEN_REQUEST_MALFORMED',
  )
  t.end()
})

t.test('a token whose signature was removed is replaced by its intact copy', (t) => {
  const kind: Presentation = { headers: BOTH, scheme: 'Bearer', checkedByCloudRun: true }
  const stripped = `header.payload${MARKER}`
  const present = (headers: string[], presentation = kind, twin = 'authorization') =>
    presentedToken(raw(...headers), presentation, twin)
  const cloudRun = ['X-Serverless-Authorization', `Bearer ${stripped}`]
  const copy = ['Authorization', 'Bearer header.payload.sig']
  const header = 'x-serverless-authorization'
  t.equal(present([]), null)
  t.strictSame(present([...cloudRun, ...copy]), {
    token: 'header.payload.sig',
    header: 'authorization',
    signatureRemoved: false,
  })
  t.strictSame(present(cloudRun), { token: stripped, header, signatureRemoved: true })
  t.strictSame(present([...cloudRun, ...copy], { ...kind, checkedByCloudRun: false }), {
    token: stripped,
    header,
    signatureRemoved: false,
  })
  t.strictSame(present(copy), {
    token: 'header.payload.sig',
    header: 'authorization',
    signatureRemoved: false,
  })
  t.strictSame(
    present(
      ['Authorization', `Bearer ${stripped}`, 'x-twin', 'Bearer header.payload.sig'],
      kind,
      'x-twin',
    ),
    { token: stripped, header: 'authorization', signatureRemoved: true },
    'Cloud Run leaves Authorization alone, where the other header is there',
  )
  for (const headers of [
    ['Authorization', 'Bearer'],
    [...copy, ...copy],
    [...cloudRun, ...copy, ...copy],
  ]) {
    t.equal(refusalOf(present(headers))[0], 'ID_TOKEN_REQUEST_MALFORMED')
  }
  t.end()
})

t.test('a request is what has headers, and `raw` is preferred', (t) => {
  const inner = { headers: { a: '1' } }
  const outer = { raw: inner, headers: { b: '2' } }
  t.equal(requestHeadersOf(outer), inner)
  t.equal(requestHeadersOf(inner), inner)
  for (const none of [
    null,
    undefined,
    7,
    'a',
    {},
    { headers: null },
    { headers: 'a' },
    { raw: {} },
    { raw: null },
  ]) {
    t.throws(() => requestHeadersOf(none as unknown as RequestLike), {
      name: 'TypeError',
      message: /^authenticate takes a request with headers/,
    })
  }
  t.end()
})

t.test('headers of any kind become names and values in turn', (t) => {
  const rawOf = (headers: unknown) => rawHeadersOf({ headers: headers as HeadersLike })
  t.strictSame(rawHeadersOf({ headers: { a: '1' }, rawHeaders: ['b', '2'] }), ['b', '2'])
  t.strictSame(rawOf({ a: '1', b: ['2', '3'], c: undefined, d: 4, e: null, f: [5] }), [
    'a',
    '1',
    'b',
    '2',
    'b',
    '3',
    'd',
    '',
    'e',
    '',
    'f',
    '',
  ])
  t.strictSame(rawOf(new Headers({ a: '1', b: '2' })), ['a', '1', 'b', '2'])
  t.strictSame(
    rawOf([
      ['a', '1'],
      ['a', '2'],
    ]),
    ['a', '1', 'a', '2'],
  )
  t.strictSame(rawOf({}), [])
  t.end()
})
