import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import t from 'tap'
import { googleIdToken as expressGuard } from '../../src/express.ts'
import googleIdToken, { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { audience, login, signup } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const { jwks } = issuer
const options = { audience, jwks, allowedCallers: [login] }

/** The same members, written in ways in which `Object.keys` does not show them all. */
function unreadable(members: object): [kind: string, value: object, problem: RegExp][] {
  const prototype = {}
  const hidden = {}
  const computed = {}
  const written = {}
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(prototype, name, { get: () => value as unknown })
    Object.defineProperty(hidden, name, { value: value as unknown })
    Object.defineProperty(computed, name, { get: () => value as unknown, enumerable: true })
    Object.defineProperty(written, name, { set: () => undefined, enumerable: true })
  }
  return [
    [
      'getters of a prototype, as of a class',
      Object.create(prototype) as object,
      /has a prototype of its own/,
    ],
    ['inherited', Object.create(members) as object, /has a prototype of its own/],
    [
      'inherited from an object without a prototype',
      Object.create(Object.assign(Object.create(null) as object, members)) as object,
      /has a prototype of its own/,
    ],
    ['a member that is not enumerable', hidden, /has a member that is not enumerable, \w+/],
    ['a getter', computed, /has a getter or a setter, \w+/],
    ['a setter', written, /has a getter or a setter, \w+/],
    ['a symbol', { [Symbol('list')]: members }, /has a member named by a symbol, Symbol\(list\)/],
  ]
}

/** The same members in ways that say all there is. */
function readable(members: object): [kind: string, value: object][] {
  return [
    ['an object', { ...members }],
    ['one without a prototype', Object.assign(Object.create(null) as object, members)],
    ['a frozen one', Object.freeze({ ...members })],
    ['a sealed one', Object.seal({ ...members })],
    ['one of another realm', runInNewContext('({ ...members })', { members }) as object],
  ]
}

const code = 'ID_TOKEN_OPTION_INVALID'

t.test('a policy that cannot be read plainly is refused, not read as {}', async (t) => {
  for (const [kind, policy, problem] of unreadable({ allowedCallers: [signup] })) {
    const app = Fastify()
    app.register(googleIdToken, options)
    app.get('/x', { config: { idToken: policy } }, () => ({}))
    await t.rejects(async () => app.ready(), { code, message: problem }, kind)
    await t.rejects(
      createVerifier(options).authenticate(new IncomingMessage(new Socket()), policy),
      { code, message: problem },
      kind,
    )
    t.throws(() => expressGuard(options).optional(policy), { code, message: problem }, kind)
  }
  for (const [kind, policy] of readable({ allowedCallers: [signup] })) {
    const app = Fastify()
    app.register(googleIdToken, options)
    app.get('/x', { config: { idToken: policy } }, () => ({}))
    await app.ready()
    t.match(app.listAllowedCallers(), [{ allowedCallers: [signup] }], kind)
    await app.close()
  }
})

t.test('so are options, tokenCache and people in a list', async (t) => {
  const invalid = (message: RegExp) => ({ code, message })
  for (const [kind, value, problem] of unreadable(options)) {
    await t.rejects(
      async () => Fastify().register(googleIdToken, value as VerifierOptions),
      invalid(problem),
      kind,
    )
    t.throws(() => createVerifier(value as VerifierOptions), invalid(problem), kind)
    t.throws(() => expressGuard(value as VerifierOptions), invalid(problem), kind)
  }
  for (const [kind, tokenCache, problem] of unreadable({ max: 7 })) {
    t.throws(
      () => createVerifier({ ...options, tokenCache } as VerifierOptions),
      invalid(problem),
      kind,
    )
  }
  for (const [kind, person, problem] of unreadable({ email: 'dana@example.com' })) {
    const allowedCallers = [person] as VerifierOptions['allowedCallers']
    t.throws(() => createVerifier({ ...options, allowedCallers }), invalid(problem), kind)
  }
  for (const [, value] of readable(options)) createVerifier(value as VerifierOptions)
  for (const [, tokenCache] of readable({ max: 7 })) {
    createVerifier({ ...options, tokenCache } as VerifierOptions)
  }
  for (const [kind, person] of readable({ email: 'dana@example.com' })) {
    const allowedCallers = [person] as VerifierOptions['allowedCallers']
    t.ok(createVerifier({ ...options, allowedCallers }), kind)
  }
})

t.test('what was given by mistake is not printed: a request holds a token', (t) => {
  const request = new IncomingMessage(new Socket())
  request.rawHeaders.push('authorization', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2VjcmV0')
  try {
    createVerifier(request as unknown as VerifierOptions)
    t.fail('accepted')
  } catch (error) {
    t.equal(
      (error as Error).message,
      'Option options has a prototype of its own; accepted: a plain object: no class, no getters, no symbols',
    )
  }
  t.end()
})

t.test('a name that is nearly right is answered with the right one', (t) => {
  const cases: [given: string, meant: string | null][] = [
    ['audiences', 'audience'],
    ['Audience', 'audience'],
    ['aud1ence', 'audience'],
    ['adience', 'audience'],
    ['allowedCaller', 'allowedCallers'],
    ['allowedcallers', 'allowedCallers'],
    ['allowCallers', 'allowedCallers'],
    ['tokenCahce', 'tokenCache'],
    ['jwk', 'jwks'],
    ['JWKSURI', 'jwksUri'],
    ['expectedAudience', null],
    ['cache', null],
    ['jw', null],
    ['', null],
  ]
  for (const [given, meant] of cases) {
    const suggested =
      meant === null ? /logger$/ : new RegExp(String.raw`\. Did you mean ${meant}\?$`)
    t.throws(
      () => createVerifier({ ...options, [given]: 'x' }),
      { code, message: suggested },
      given,
    )
  }
  t.throws(() => createVerifier({ ...options, tokenCache: { min: 7 } as never }), {
    message: /only the names max$/,
  })
  t.end()
})
