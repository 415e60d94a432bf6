/** Which tokens are well-formed, rule by rule, and what a log says of the others. */
import t from 'tap'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import { decodeText, isBase64url } from '../../src/token/base64url.ts'
import { claimsProblem, evidenceOf } from '../../src/token/claims.ts'
import {
  parseToken,
  rememberHeader,
  typeRefusal,
  type TokenShape,
} from '../../src/token/parse-token.ts'

const shape: TokenShape = { source: 'id-token', algorithm: { alg: 'RS256' }, subject: null }
const claims = { iss: 'https://accounts.google.com', aud: 'a', sub: '1', iat: 1, exp: 2 }
const encode = (text: string): string => Buffer.from(text).toString('base64url')
const encoded = (part: unknown): string => encode(JSON.stringify(part))
const HEADER = { alg: 'RS256', kid: 'k' }

function tokenOf(header: unknown, payload: unknown = claims, signature = 'c2ln'): string {
  return `${encoded(header)}.${encoded(payload)}.${signature}`
}

/** What a log says of the refusal; the parsed token if there is none. */
function outcome(token: string, given = shape): unknown {
  const parsed = parseToken(token, given)
  if (!(parsed instanceof IdTokenError)) return parsed
  const { expected, found } = parsed.detail
  return [parsed.code, expected, found]
}

const malformed = (expected: string, found: unknown) => ['ID_TOKEN_MALFORMED', expected, found]

t.test('the parts of a token', (t) => {
  const token = tokenOf(HEADER)
  t.strictSame(outcome(token), {
    header: HEADER,
    headerSegment: encoded(HEADER),
    kid: 'k',
    claims,
    signingInput: `${encoded(HEADER)}.${encoded(claims)}.`.slice(0, -1),
    signature: 'c2ln',
  })
  for (const kid of [7, null, undefined, ['k']]) {
    t.match(outcome(tokenOf({ alg: 'RS256', kid })), { kid: '' })
  }
  t.end()
})

t.test('a token is a string of at most 8192 characters in three segments', (t) => {
  t.equal(typeRefusal('a'), null)
  for (const value of [7, undefined, null, {}]) {
    const { expected, found } = typeRefusal(value)?.detail ?? {}
    t.strictSame([expected, found], ['a token as a string', typeof value])
  }
  const long = (length: number) => `${'A'.repeat(length - 4)}.b.c`
  t.strictSame(outcome(long(8193)), malformed('at most 8192 characters', 8193))
  t.strictSame(outcome(long(8192)), malformed('header: a JSON object', 'something else'))
  for (const fewer of ['', 'a', 'a.b', '.', 'a.', '.b']) {
    t.strictSame(outcome(fewer), malformed('three segments', 'fewer'), fewer)
  }
  for (const more of ['a.b.c.d', '...', 'a.b.c.', 'a.b..d']) {
    t.strictSame(outcome(more), malformed('three segments', 'more'), more)
  }
  t.end()
})

t.test('a character that Node would read as another is found in any segment', (t) => {
  const [header, payload] = [encoded(HEADER), encoded(claims)]
  for (const segment of ['/w', '+w', 'e30\u0100', 'e30\uFF41']) {
    for (const token of [
      `${segment}.${payload}.c2ln`,
      `${header}.${segment}.c2ln`,
      `${header}.${payload}.${segment}`,
    ]) {
      t.strictSame(outcome(token), malformed('strict base64url', 'something else'), token)
    }
  }
  t.end()
})

t.test('header and payload are JSON objects in UTF-8 and strict base64url', (t) => {
  const otherwise = 'something else'
  for (const segment of ['', '=', 'a', 'e30=', 'e31', '!w', 'e30é']) {
    t.strictSame(
      outcome(`${segment}.${encoded(claims)}.c2ln`),
      malformed('header: UTF-8 in strict base64url', otherwise),
    )
    t.strictSame(
      outcome(`${encoded(HEADER)}.${segment}.c2ln`),
      malformed('payload: UTF-8 in strict base64url', otherwise),
    )
  }
  for (const text of ['[]', '"{}"', 'null', '{', '}', '{a}', '{"a":1}}', 'x{}', '{}x', ' ']) {
    t.strictSame(
      outcome(`${encode(text)}.${encoded(claims)}.c2ln`),
      malformed('header: a JSON object', otherwise),
      text,
    )
    t.strictSame(
      outcome(`${encoded(HEADER)}.${encode(text)}.c2ln`),
      malformed('payload: a JSON object', otherwise),
      text,
    )
  }
  t.match(outcome(`${encode(` ${JSON.stringify(HEADER)}\n`)}.${encoded(claims)}.c2ln`), {
    kid: 'k',
  })
  t.end()
})

t.test('signature, extensions, claims and algorithm, in this order', (t) => {
  for (const signature of ['', 'a', 'c2ln=', 'c2lo!']) {
    t.strictSame(
      outcome(tokenOf({ ...HEADER, crit: [] }, {}, signature)),
      malformed('signature: strict base64url', 'something else'),
    )
  }
  t.strictSame(
    outcome(tokenOf({ alg: 'none', crit: undefined }, claims, '')),
    ['ID_TOKEN_ALGORITHM_NOT_ALLOWED', 'RS256', 'none'],
    'RFC 7518 section 3.6',
  )
  t.strictSame(
    outcome(tokenOf({ alg: 'none' }, claims, 'a')),
    malformed('signature: strict base64url', 'something else'),
  )
  for (const crit of [[], ['b64'], null]) {
    t.strictSame(
      outcome(tokenOf({ alg: 'HS256', crit }, {})),
      malformed('a header without crit', 'crit'),
    )
  }
  t.strictSame(
    outcome(tokenOf({ alg: 'HS256' }, {})),
    malformed('claim iss: a string', 'no such claim'),
  )
  for (const [alg, found] of [
    ['HS256', 'HS256'],
    ['rs256', 'rs256'],
    [undefined, 'no alg'],
  ] as const) {
    t.strictSame(outcome(tokenOf({ alg })), ['ID_TOKEN_ALGORITHM_NOT_ALLOWED', 'RS256', found])
  }
  const foreign = parseToken(
    tokenOf({ alg: 'ES256' }, { ...claims, iss: 'https://cloud.google.com/iap' }),
    shape,
  )
  t.match(foreign, { detail: { remedy: /this is an assertion of Identity-Aware Proxy/ } })
  t.end()
})

t.test('claims have their types, and some are required', (t) => {
  t.equal(claimsProblem(claims, null), null)
  const full = { nbf: 1, azp: 'a', email: 'a@b', email_verified: false }
  t.equal(claimsProblem({ ...claims, ...full }, null), null)
  const problem = (claim: string, value: unknown) =>
    claimsProblem({ ...claims, ...full, [claim]: value }, null)
  const types = {
    iss: 'string',
    aud: 'string',
    sub: 'string',
    iat: 'number',
    exp: 'number',
    nbf: 'number',
    azp: 'string',
    email: 'string',
    email_verified: 'boolean',
  }
  for (const [claim, type] of Object.entries(types)) {
    const expected = `claim ${claim}: a ${type}`
    const isRequired = claim in claims
    t.strictSame(
      problem(claim, undefined),
      isRequired ? { expected, found: 'no such claim' } : null,
    )
    const bad: [value: unknown, found: string][] = [
      [null, 'null'],
      ['', 'an empty string'],
      [[], 'a list'],
      [{}, 'an object'],
      [Infinity, 'a number that is not finite'],
      [NaN, 'a number that is not finite'],
      [type === 'string' ? 7 : 'a', type === 'string' ? 'a number' : 'a string'],
      [type === 'boolean' ? 1 : true, type === 'boolean' ? 'a number' : 'a boolean'],
    ]
    for (const [value, found] of bad)
      t.strictSame(problem(claim, value), { expected, found }, claim)
  }
  t.end()
})

t.test('a claim that every object inherits is none', (t) => {
  const { iss, ...others } = claims
  for (const [claim, value, payload] of [
    ['iss', iss, others],
    ['email', 'admin@shop.example', claims],
    ['email_verified', true, claims],
  ] as const) {
    Object.defineProperty(Object.prototype, claim, { value, configurable: true })
    const problem = claimsProblem(payload, null)
    const own = claimsProblem({ ...payload, [claim]: value }, null)
    Reflect.deleteProperty(Object.prototype, claim)
    t.strictSame(problem, {
      expected: `claim ${claim} of its own`,
      found: 'one that every object inherits',
    })
    t.equal(own, null)
  }
  t.end()
})

t.test('the form of sub is checked last', (t) => {
  const subject = { pattern: /^[^:]+:./, described: 'a provider and an id' }
  t.equal(claimsProblem({ ...claims, sub: 'a:1' }, subject), null)
  t.strictSame(claimsProblem(claims, subject), {
    expected: 'claim sub: a provider and an id',
    found: 'another form',
  })
  t.strictSame(claimsProblem({ ...claims, email: 7 }, subject)?.expected, 'claim email: a string')
  t.strictSame(
    outcome(tokenOf(HEADER), { ...shape, subject }),
    malformed('claim sub: a provider and an id', 'another form'),
  )
  t.end()
})

t.test('the evidence of a mistake', (t) => {
  const { iss, aud } = claims
  t.strictSame(evidenceOf({ ...claims, email: 'a@b' }, 'iap', true), {
    iss,
    aud,
    email: 'a@b',
    source: 'iap',
    staticKeys: true,
  })
  t.equal(evidenceOf(claims, 'id-token').staticKeys, false)
  t.end()
})

t.test('segments are strict base64url of at least one byte', (t) => {
  for (const segment of ['AA', 'AAA', 'AAAA', '-_-_', 'Zg', 'Zm8', 'Zm9v', 'AAAAAAAA', 'AAAAAA']) {
    t.ok(isBase64url(segment), segment)
  }
  for (const segment of [
    '',
    'A',
    'AAAAA',
    'AA==',
    'AA=',
    'AAA=',
    'AAAA=',
    'AB',
    'AAB',
    'A+AA',
    'A/AA',
    'A AA',
    'AA\n',
    'A.AA',
    'ÁAAA',
    '\u0141AAA',
  ]) {
    t.notOk(isBase64url(segment), segment)
  }
  for (const last of 'AQgw') t.ok(isBase64url(`A${last}`))
  for (const last of 'AEIMQUYcgkosw048') t.ok(isBase64url(`AA${last}`))
  t.equal(decodeText(encode('{"a":"é"}')), '{"a":"é"}')
  t.equal(decodeText(encode('\uFFFD')), '\uFFFD', 'the character itself')
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
    t.equal(decodeText(Buffer.from(bytes).toString('base64url')), null)
  }
  t.equal(decodeText(''), null)
  t.end()
})

t.test('only the header of a verified token is remembered, and only a short one', (t) => {
  const parsed = (token: string) => {
    const result = parseToken(token, shape)
    if (result instanceof IdTokenError) throw result
    return result
  }
  const headerOf = (header: unknown) => parsed(tokenOf(header)).header
  const remember = (header: unknown) => {
    rememberHeader(parsed(tokenOf(header)))
  }
  // Other tests have left some: after this, `last` is the only one that is remembered.
  const [first, ...others] = Array.from({ length: 9 }, (_, before) => ({ ...HEADER, before }))
  remember(first)
  const last = others.find((header) => {
    remember(header)
    return headerOf(first) !== headerOf(first)
  })
  t.ok(last, 'eight at most')

  const short = { ...HEADER, x: 'short' }
  t.not(headerOf(short), headerOf(short), 'it is not verified')
  remember(short)
  const kept = headerOf(short)
  t.equal(headerOf(short), kept)
  remember(short)
  t.equal(headerOf(short), kept)
  // 256 characters of base64url are 192 bytes.
  const ofBytes = (bytes: number) => {
    const empty = JSON.stringify({ ...HEADER, x: '' }).length
    return { ...HEADER, x: 'x'.repeat(bytes - empty) }
  }
  t.equal(encoded(ofBytes(192)).length, 256)
  remember(ofBytes(192))
  t.equal(headerOf(ofBytes(192)), headerOf(ofBytes(192)))
  remember(ofBytes(193))
  t.not(headerOf(ofBytes(193)), headerOf(ofBytes(193)))
  const together = [parsed(tokenOf({ ...HEADER, n: 0 })), parsed(tokenOf({ ...HEADER, n: 0 }))]
  for (const one of together) rememberHeader(one)
  for (let n = 1; n < 5; n += 1) remember({ ...HEADER, n })
  t.equal(headerOf(short), kept, 'eight')
  remember({ ...HEADER, n: 5 })
  t.not(headerOf(short), kept, 'the ninth ends the eight before it')
  t.equal(headerOf({ ...HEADER, n: 5 }), headerOf({ ...HEADER, n: 5 }))
  t.end()
})
