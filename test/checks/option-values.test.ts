/** What each kind of option accepts, to the last value, and what an error says. */
import t from 'tap'
import { FIELD_NAME } from '../../src/checks/field-name.ts'
import {
  invalidConfiguration,
  invalidOption,
  invalidSecretOption,
  parseNames,
  parseNumber,
  parseStrings,
} from '../../src/checks/invalid-option.ts'
import {
  isEmail,
  parseBoolean,
  parseEmail,
  parseHost,
  parseInteger,
  parsePort,
} from '../../src/checks/parse-options.ts'
import { unreadableMembers } from '../../src/checks/plain-object.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'

t.test('an error has the option, the value, and what is accepted', (t) => {
  const message = (value: unknown) => invalidOption('a', value, 'b').message
  t.equal(message(undefined), 'Option a is missing; accepted: b')
  t.equal(message(null), 'Option a is null; accepted: b')
  t.equal(message({ b: { c: {} } }), 'Option a is { b: { c: {} } }; accepted: b')
  t.equal(message({ b: { c: { d: 1 } } }), 'Option a is { b: { c: [Object] } }; accepted: b')
  t.match(message(Array.from({ length: 12 }, () => 1)), /\.\.\. 2 more items\s+\];/)
  t.match(message('x'.repeat(201)), /'x{200}'\.\.\. 1 more character;/)
  t.notMatch(message({ long: 'x'.repeat(100), other: 'y'.repeat(100) }), /\n/)
  t.equal(invalidSecretOption('a', 'is odd', 'b').message, 'Option a is odd; accepted: b')
  t.match(invalidConfiguration('odd'), { code: 'ID_TOKEN_OPTION_INVALID', message: 'odd' })
  t.end()
})

t.test('an object of options has no other names', (t) => {
  const names = ['audience', 'issuer', 'max']
  const parse = (value: unknown, where = 'options') =>
    outcomeOf(() => parseNames(where, value, names))
  for (const none of [undefined, null, 'a', 7, [], ['audience']]) {
    t.match(parse(none), /^Option options is .*; accepted: an object with audience, issuer, max$/)
  }
  t.match(
    outcomeOf(() => parseNames('a', 1, names, 'b')),
    'Option a is 1; accepted: b',
  )
  const parsed = parseNames('options', { max: 1 }, names)
  t.equal(Object.getPrototypeOf(parsed), null)
  t.strictSame({ ...parsed }, { max: 1 })
  t.match(
    parse(new Map()),
    'Option options has a prototype of its own; accepted: a plain object: no class, no getters, no symbols',
  )
  const only = '; accepted: only the names audience, issuer, max'
  for (const [name, suggestion] of [
    ['Audience', '. Did you mean audience?'],
    ['audienc', '. Did you mean audience?'],
    ['audiencess', '. Did you mean audience?'],
    ['udience', '. Did you mean audience?'],
    ['xaudience', '. Did you mean audience?'],
    ['audxence', '. Did you mean audience?'],
    ['audince', '. Did you mean audience?'],
    ['aduience', '. Did you mean audience?'],
    ['isuser', '. Did you mean issuer?'],
    ['MAX', '. Did you mean max?'],
    ['mx', '. Did you mean max?'],
    ['maxx', '. Did you mean max?'],
    ['xmax', '. Did you mean max?'],
    ['ax', '. Did you mean max?'],
    ['xax', '. Did you mean max?'],
    ['mxa', ''],
    ['m', ''],
    ['maxima', ''],
    ['audien', '. Did you mean audience?'],
    ['audie', ''],
    ['other', ''],
    ['', ''],
  ] as const) {
    t.equal(parse({ [name]: 1 }), `Option ${name} is 1${only}${suggestion}`)
  }
  t.equal(parse({ x: 1 }, 'route'), `Option route.x is 1${only}`)
  t.end()
})

t.test('the nearest name is suggested, not the first', (t) => {
  const parse = (name: string) =>
    outcomeOf(() => parseNames('options', { [name]: 1 }, ['tokens', 'token', 'Token2']))
  t.match(parse('toke'), /Did you mean token\?$/)
  t.match(parse('token2'), /Did you mean Token2\?$/)
  t.match(parse('tokensx'), /Did you mean tokens\?$/)
  t.end()
})

t.test('numbers and booleans have bounds that are part of them', (t) => {
  const bounds = { min: 1, max: 3, unit: 'apples' }
  for (const good of [1, 1.5, 3]) t.equal(parseNumber('a', good, bounds), good)
  for (const bad of [0.9, 3.1, NaN, '2', null, 2n, Infinity]) {
    t.match(
      outcomeOf(() => parseNumber('a', bad, bounds)),
      /^Option a is .*; accepted: a number of apples from 1 to 3$/,
    )
  }
  for (const good of [1, 2, 3]) t.equal(parseInteger('a', good, bounds), good)
  for (const bad of [0, 4, 1.5, '2', null]) {
    t.match(
      outcomeOf(() => parseInteger('a', bad, { ...bounds, of: ' of apples' })),
      /; accepted: an integer of apples from 1 to 3$/,
    )
  }
  t.match(
    outcomeOf(() => parseInteger('a', 0, bounds)),
    /an integer from 1 to 3$/,
  )
  t.equal(parseInteger('a', Number.MAX_SAFE_INTEGER, { min: 0 }), Number.MAX_SAFE_INTEGER)
  t.match(
    outcomeOf(() => parseInteger('a', 2 ** 53, { min: 0 })),
    /to 9007199254740991$/,
  )
  t.strictSame([parsePort(0), parsePort(65_535)], [0, 65_535])
  t.match(
    outcomeOf(() => parsePort(65_536)),
    'Option port is 65536; accepted: an integer from 0 to 65535',
  )
  t.match(
    outcomeOf(() => parsePort(-1)),
    /^Option port is -1/,
  )
  t.strictSame(
    [true, false].map((value) => parseBoolean('a', value)),
    [true, false],
  )
  for (const bad of [0, 'true', null, undefined]) {
    t.match(
      outcomeOf(() => parseBoolean('a', bad)),
      /; accepted: true or false$/,
    )
  }
  t.end()
})

t.test('strings are one or several, none empty, none with space around it', (t) => {
  t.strictSame(parseStrings('a', 'x y', 'b'), ['x y'])
  const list = ['x', 'y']
  const parsed = parseStrings('a', list, 'b')
  t.strictSame(parsed, list)
  t.not(parsed, list)
  t.ok(Object.isFrozen(parsed))
  for (const bad of ['', ' x', 'x ', 'x\n', [], [''], ['x', ' y'], ['x', 7], 7, null, undefined]) {
    t.match(
      outcomeOf(() => parseStrings('a', bad, 'b')),
      /^Option a is .*; accepted: b$/s,
    )
  }
  t.end()
})

t.test('emails have one @ and no space; hosts are names or addresses', (t) => {
  for (const good of ['a@b', 'a.b+c@d.e']) t.equal(parseEmail('a', good), good)
  for (const bad of [
    '',
    'a',
    '@',
    'a@',
    '@b',
    'a@b@c',
    'a b@c',
    'a@b c',
    'a/@b',
    'a@/b',
    ' a@b',
    'a@b ',
  ]) {
    t.notOk(isEmail(bad), bad)
    t.match(
      outcomeOf(() => parseEmail('a', bad)),
      /; accepted: an email$/,
    )
  }
  t.match(
    outcomeOf(() => parseEmail('a', { toString: () => 'a@b' })),
    /an email$/,
  )
  t.equal(parseHost({}), '127.0.0.1')
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    t.equal(parseHost({ host }), host)
  for (const host of ['0.0.0.0', '::', 'a', 'a.b', 'a_b-c.d', 'a1']) {
    t.equal(parseHost({ host, allowRemote: true }), host)
    t.match(
      outcomeOf(() => parseHost({ host })),
      /^Option host is .*; accepted: a loopback host, or any with allowRemote: true$/,
    )
  }
  for (const host of ['', '.a', 'a.', '-a', 'a-', 'a b', 'a/b', '[::1]', 7, null]) {
    t.match(
      outcomeOf(() => parseHost({ host, allowRemote: true })),
      /^Option host is .*; accepted: an IP address or a host name$/,
    )
  }
  t.match(
    outcomeOf(() => parseHost({ allowRemote: 1 })),
    /^Option allowRemote is 1/,
  )
  t.end()
})

t.test('only plain objects are read', (t) => {
  const symbol = Symbol('s')
  for (const [value, problem] of [
    [{}, null],
    [{ a: 1, b: undefined }, null],
    [Object.create(null), null],
    [Object.create({}), 'has a prototype of its own'],
    [Object.create({ hasOwnProperty: 1 }), 'has a prototype of its own'],
    [Object.create(Object.create(null)), 'has a prototype of its own'],
    [new Map(), 'has a prototype of its own'],
    [{ [symbol]: 1 }, 'has a member named by a symbol, Symbol(s)'],
    [
      {
        get a() {
          return 1
        },
      },
      'has a getter or a setter, a',
    ],
    [
      {
        a: 1,
        set b(_value: unknown) {
          /* nothing */
        },
      },
      'has a getter or a setter, b',
    ],
    [Object.defineProperty({}, 'a', { value: 1 }), 'has a member that is not enumerable, a'],
  ] as [object, string | null][]) {
    t.equal(unreadableMembers(value), problem)
  }
  t.end()
})

t.test('the name of a header is one token from its first to its last character', (t) => {
  for (const name of ['authorization', 'X-Goog-IAP-JWT-Assertion', "!#$%&'*+.^_`|~-9"]) {
    t.match(name, FIELD_NAME)
  }
  for (const name of ['', ' authorization', 'authorization ', 'x:y', 'x\ny', 'ä', '(x']) {
    t.notMatch(name, FIELD_NAME)
  }
  t.end()
})
