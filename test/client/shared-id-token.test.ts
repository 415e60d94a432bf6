/** When a shared token is fetched, kept and replaced, second by second and without sockets. */
import t, { type Test } from 'tap'
import { SharedIdToken, type TokenTerms } from '../../src/client/shared-id-token.ts'
import type { ServiceClientError } from '../../src/client/service-client-error.ts'
import { warnings, type Warning } from '../helpers/captured-log.ts'
import { audience } from '../helpers/shop.ts'
import { stoppedClock } from '../helpers/stopped-clock.ts'

const START = Date.parse('2026-11-23T12:00:00Z') / 1000
const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A token that nobody verifies here. */
function unsigned(claims: object): string {
  return `${encoded({ alg: 'RS256' })}.${encoded({ aud: audience, ...claims })}.c2ln`
}

interface Fixture {
  readonly shared: SharedIdToken
  readonly terms: TokenTerms
  readonly lines: readonly Warning[]
  readonly pass: (seconds: number) => void
  /** Fetches begun. */
  readonly fetches: () => number
  /** The answers to come; the last one stays. */
  answers: (() => string | Promise<string>)[]
  /** The token after all that is under way has ended. */
  readonly get: () => Promise<string>
}

/** A shared token in a time of its own. Waits are as long as they may be. */
function fixture(t: Test, terms: Partial<TokenTerms> = {}): Fixture {
  const { random } = Math
  Math.random = () => 1
  t.teardown(() => {
    Math.random = random
  })
  const { now, pass, seconds } = stoppedClock('2026-11-23T12:00:00Z')
  const { lines, logger } = warnings()
  let fetches = 0
  const made: Fixture = {
    lines,
    pass,
    fetches: () => fetches,
    answers: [() => unsigned({ iat: seconds(), exp: seconds() + 3600, n: fetches })],
    terms: { refreshBefore: 300_000, timeout: 10_000, now, steadyNow: now, logger, ...terms },
    shared: new SharedIdToken(audience, async () => async () => {
      fetches += 1
      const answer = made.answers.length > 1 ? made.answers.shift() : made.answers[0]
      return (answer as () => string)()
    }),
    get: async () => {
      const token = await made.shared.get(made.terms)
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
      return token
    },
  }
  return made
}

const fails = (): Promise<string> => Promise.reject(new Error('gone'))

t.test('a success forgets the failures before it', async (t) => {
  const one = fixture(t)
  await one.get()
  const [answer] = one.answers
  one.answers = [fails]
  one.pass(3300)
  await one.get()
  for (const wait of [1, 2, 4]) {
    one.pass(wait)
    await one.get()
  }
  t.equal(one.fetches(), 5, 'each wait is twice as long as the one before')
  one.pass(7)
  await one.get()
  t.equal(one.fetches(), 5)
  one.answers = [answer as () => string]
  one.pass(1)
  await one.get()
  t.equal(one.fetches(), 6)
  one.answers = [fails]
  one.pass(3300)
  await one.get()
  t.equal(one.fetches(), 7, 'at once')
  one.pass(1)
  await one.get()
  t.equal(one.fetches(), 8, 'and after one second again')
})

t.test('a refresh is due so long before the end, or after half of a short life', async (t) => {
  for (const [life, due] of [
    [3600, 3300],
    [400, 200],
    [601, 301],
  ] as const) {
    const one = fixture(t)
    one.answers = [() => unsigned({ iat: START, exp: START + life })]
    await one.get()
    one.pass(due - 1)
    await one.get()
    t.equal(one.fetches(), 1, `${life}: not yet`)
    one.pass(1)
    await one.get()
    t.equal(one.fetches(), 2, `${life}: now`)
  }
})

t.test('a token is used until the second in which it expires', async (t) => {
  const one = fixture(t)
  const first = await one.get()
  one.answers = [fails]
  one.pass(3599.999)
  t.equal(await one.get(), first)
  one.pass(0.001)
  await t.rejects(one.get(), { code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE' })
})

t.test('a refresh that fails is a warning, once for each try', async (t) => {
  const one = fixture(t)
  await one.get()
  one.answers = [fails]
  one.pass(3300)
  await one.get()
  await one.get()
  t.strictSame(
    one.lines.map(({ finding: { code, audience, detail }, message }) => [
      code,
      audience,
      (detail as ServiceClientError['detail']).reason,
      message,
    ]),
    [
      [
        'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
        audience,
        'gone',
        'The ID token for a service could not be replaced; the current one is used until it expires',
      ],
    ],
  )
})

t.test('a clock that was set back means a new token, after a minute of tolerance', async (t) => {
  const one = fixture(t)
  await one.get()
  one.pass(-60)
  await one.get()
  t.equal(one.fetches(), 1)
  one.pass(-0.001)
  await one.get()
  t.equal(one.fetches(), 2)
})

t.test('a token that has expired when it comes is used, and replaced after a wait', async (t) => {
  const one = fixture(t)
  const expired = unsigned({ iat: START - 3601, exp: START - 1 })
  one.answers = [() => expired]
  t.equal(await one.get(), expired)
  t.equal(await one.get(), expired)
  t.equal(one.fetches(), 1, 'not at once')
  one.pass(1)
  await one.get()
  t.equal(one.fetches(), 2)
  t.equal(one.lines.length, 1, 'one warning')
  const good = unsigned({ iat: START, exp: START + 3600 })
  one.answers = [() => good]
  one.pass(2)
  await one.get()
  t.equal(await one.get(), good)
  t.equal(one.lines.length, 1)
  one.answers = [() => expired]
  one.pass(3300)
  await one.get()
  t.equal(await one.get(), good, 'a good one is not replaced by it')
  t.equal(one.lines.length, 2, 'a warning again, as there was a good one meanwhile')
  one.pass(297)
  t.equal(await one.get(), expired, 'from the moment in which the good one expires it is')
  const fetches = one.fetches()
  t.equal(await one.get(), expired)
  t.equal(one.fetches(), fetches, 'and it is kept')
})

t.test('a refused token is replaced, by the newer one if there is one', async (t) => {
  const one = fixture(t)
  const first = await one.get()
  const second = await one.shared.replace(first, one.terms)
  t.not(second, first)
  t.equal(await one.shared.replace(first, one.terms), second, 'there is one')
  t.equal(one.fetches(), 2)
  for (let n = 0; n < 4; n += 1) {
    await one.shared.replace(await one.get(), one.terms)
  }
  t.equal(one.fetches(), 6)
  t.equal(one.shared.replace(await one.get(), one.terms), null, 'five at once')
  one.pass(10)
  t.not(one.shared.replace(await one.get(), one.terms), null)
})

t.test('all who wait share one fetch; a fetch that hangs is given up', async (t) => {
  const one = fixture(t)
  const token = unsigned({ iat: START, exp: START + 3600 })
  one.answers = [() => new Promise<string>(() => undefined), () => token]
  const hanging = one.shared.get(one.terms)
  t.equal(one.shared.get(one.terms), hanging)
  t.equal(one.shared.replace('another', one.terms), hanging, 'one that is refused as well')
  one.pass(9.999)
  t.equal(one.shared.get(one.terms), hanging)
  one.pass(0.001)
  t.equal(await one.get(), token)
  t.equal(one.fetches(), 2)
})

t.test(
  'a refresh in progress is not waited for twice, and one failure is one warning',
  async (t) => {
    const one = fixture(t)
    await one.get()
    let fail: (error: Error) => void = () => undefined
    one.answers = [
      () =>
        new Promise((_resolve, reject) => {
          fail = reject
        }),
    ]
    one.pass(3300)
    for (let call = 0; call < 5; call += 1) await one.get()
    fail(new Error('gone'))
    await one.get()
    t.equal(one.fetches(), 2)
    t.equal(one.lines.length, 1)
  },
)

t.test('to join a fetch costs nothing of the five replacements', async (t) => {
  const one = fixture(t)
  const [answer] = one.answers
  const first = await one.get()
  let resolve: (token: string) => void = () => undefined
  one.answers = [
    () =>
      new Promise((settle) => {
        resolve = settle
      }),
  ]
  const joined = Array.from({ length: 10 }, () => one.shared.replace(first, one.terms))
  await new Promise(setImmediate)
  t.equal(new Set(joined).size, 1)
  one.answers = [answer as () => string]
  resolve(unsigned({ iat: START, exp: START + 3600, n: 'second' }))
  await joined[0]
  for (let n = 0; n < 4; n += 1) await one.shared.replace(await one.get(), one.terms)
  t.equal(one.fetches(), 6)
})

t.test('a token that expires in the second in which it comes has expired', async (t) => {
  const one = fixture(t)
  one.answers = [() => unsigned({ iat: START - 3600, exp: START })]
  const token = await one.get()
  t.equal(await one.get(), token)
  t.equal(one.fetches(), 1)
  one.pass(1)
  await one.get()
  t.equal(one.fetches(), 2, 'another is fetched as after a failure')
})

t.test('credentials that could not be found are looked for again, others once', async (t) => {
  const { terms } = fixture(t)
  let searches = 0
  const shared = new SharedIdToken(audience, async () => {
    searches += 1
    if (searches === 1) throw new Error('not yet')
    return async () => unsigned({ exp: START + 3600 })
  })
  const failure = await Promise.resolve(shared.get(terms)).catch((error: unknown) => error)
  t.match(failure, { detail: { reason: 'not yet' } })
  const token = await shared.get(terms)
  await shared.replace(token, terms)
  t.equal(searches, 2)
})
