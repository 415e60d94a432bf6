import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { optionsOf, rawHeadersOf, rows } from '../../fixtures/rows.ts'
import { createVerifier, IdTokenError, type Caller } from '../../src/index.ts'
import { logRefusal } from '../../src/adapters/log-refusal.ts'
import { silent } from '../helpers/captured-log.ts'
import { meterWith } from '../helpers/meter.ts'
import { login } from '../helpers/shop.ts'
import { clock, refusalOf, requestWith, signed, verifierWith } from '../helpers/timed-verifier.ts'

const refusedRequest = {
  method: 'GET',
  route: '/profiles/:id',
  header: 'authorization',
  enforced: true,
}

/** All that is reported of a refusal: in the response, in the log, and by those who print the error. */
function toldOf(error: IdTokenError): { response: string; log: string } {
  const logged: unknown[] = []
  logRefusal(error, refusedRequest, { warn: (...entry) => void logged.push(entry) })
  return {
    response: [
      error.message,
      error.stack,
      String(error),
      JSON.stringify(error),
      JSON.stringify(Object.entries(error)),
      inspect(error, { depth: 9 }),
      JSON.stringify(error.headers),
    ].join('\n'),
    log: [JSON.stringify(logged), inspect(error, { depth: 9, showHidden: true })].join('\n'),
  }
}

const LONGEST_PART = 16

/** A part of the token that a text holds. */
function partOfToken(text: string, ...headerValues: string[]): string | undefined {
  for (const segment of headerValues.flatMap((value) => value.split(/[ ,.]/))) {
    // The marker and the names of schemes are no secrets.
    if (segment === 'SIGNATURE_REMOVED_BY_GOOGLE') continue
    for (let i = 0; i + LONGEST_PART <= segment.length; i += 1) {
      const part = segment.slice(i, i + LONGEST_PART)
      if (text.includes(part)) return part
    }
  }
  return undefined
}

const anyRow = fc.constantFrom(...rows.filter(({ options }) => !options.trustRemovedSignature))

t.test('a refusal tells a response nothing of the token, the audience or the list', async (t) => {
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => delete process.env.K_SERVICE)
  for (const row of rows.filter(({ outcome }) => outcome.status !== 200)) {
    const verifier = createVerifier({ ...optionsOf(row), logger: silent })
    const request = requestWith(...rawHeadersOf(row))
    const error = await refusalOf(() => verifier.authenticate(request, row.route))
    if (error === null) throw new Error(`${row.name} was accepted`)
    const { response, log } = toldOf(error)
    const sent = row.headers.map(([, value]) => value)
    t.equal(partOfToken(response + log, ...sent), undefined, row.name)
    const secrets = [row.options.audience, row.options.allowedCallers, row.route?.audience ?? []]
    for (const secret of secrets.flat().map((one) => (typeof one === 'object' ? one.email : one))) {
      if (secret !== undefined) t.notOk(response.includes(secret), `${row.name}: ${secret}`)
    }
  }
})

t.test('a refusal is an error without frames, and shows its code and status only', async (t) => {
  const { stackTraceLimit } = Error
  const error = await refusalOf(() => verifierWith().verifyAnyCaller('garbage'))
  if (error === null) throw new Error('accepted')
  t.equal(error.stack, 'IdTokenError: The ID token is malformed')
  t.equal(Error.stackTraceLimit, stackTraceLimit)
  t.match(new Error('other').stack, /\n {4}at /)
  t.strictSame(Object.entries(error), [
    ['code', 'ID_TOKEN_MALFORMED'],
    ['statusCode', 401],
  ])
  t.ok(error instanceof Error)
  t.match(error.detail, { expected: 'three segments', found: 'fewer', remedy: /access token/ })
  t.strictSame(error.headers, {
    'www-authenticate':
      'Bearer realm="fastify-google-id-token", error="invalid_token", error_description="The ID token is malformed"',
  })
})

t.test('a 503 without a known time to wait says one second', (t) => {
  t.strictSame(new IdTokenError('ID_TOKEN_KEYS_UNAVAILABLE').headers, { 'retry-after': '1' })
  t.end()
})

t.test('a claim is logged, and shortened if it is long', async (t) => {
  const issuerOf = async (iss: string) => {
    const token = await signed({ claims: { iss } })
    return (await refusalOf(() => verifierWith().verifyAnyCaller(token)))?.detail
  }
  t.match(await issuerOf('https://evil.example'), {
    expected: ['https://accounts.google.com', 'accounts.google.com'],
    found: 'https://evil.example',
  })
  const { found } = (await issuerOf('x'.repeat(1000))) ?? {}
  t.match(found, /^x{256}… \(1000 characters\)$/)
  const listed = await signed({ header: { alg: ['RS256'] } })
  t.equal((await refusalOf(() => verifierWith().verifyAnyCaller(listed)))?.detail.found, 'object')
})

t.test('log entries: code and detail at warn; what is no refusal is left to others', async (t) => {
  const error = await refusalOf(() => verifierWith().verifyAnyCaller('garbage'))
  if (error === null) throw new Error('accepted')
  const logged: unknown[] = []
  const log = { warn: (...entry: unknown[]) => void logged.push(entry) }
  logRefusal(error, refusedRequest, log)
  t.strictSame(logged, [
    [
      { code: 'ID_TOKEN_MALFORMED', detail: error.detail, ...refusedRequest },
      'ID token refused: The ID token is malformed',
    ],
  ])
})

/** A text with one part cut out, doubled, moved or replaced. */
const mutated = fc
  .tuple(
    anyRow.filter(({ headers }) => headers.length > 0),
    fc.nat(),
    fc.nat({ max: 40 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.nat(),
  )
  .map(([row, at, length, filling, target]): string => {
    const value = row.headers.at(-1)?.[1] ?? ''
    const start = at % (value.length + 1)
    const cut = value.slice(start, start + length)
    const rest = value.slice(0, start) + filling + value.slice(start + length)
    const to = target % (rest.length + 1)
    return target % 2 === 0 ? rest : rest.slice(0, to) + cut + rest.slice(to)
  })

const anyValue = fc.oneof(
  mutated,
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((all) => all.join('.')),
  fc
    .tuple(fc.json(), fc.json(), fc.string())
    .map((parts) => parts.map((one) => Buffer.from(one).toString('base64url')).join('.')),
  anyRow.map((row) => row.headers.at(-1)?.[1] ?? ''),
)

const RUNS = { seed: 20260302, numRuns: 400, interruptAfterTimeLimit: 5_000 }
const plainRow = rows.find(({ name }) => name === 'token-source/metadata-cloud-run-format-full')

function plainVerifier() {
  if (plainRow === undefined) throw new Error('no such row')
  return createVerifier(optionsOf(plainRow))
}

function withoutScheme(value: string): string {
  return value.replace(/^bearer +/i, '')
}

/** Only these can be accepted, to the letter: a signature has one spelling. */
const signedTokens = new Set(
  rows.flatMap(({ headers }) => headers.map(([, value]) => withoutScheme(value))),
)

t.test(
  'for any value, verifySync gives a caller, or a refusal without any part of the value',
  async (t) => {
    const verifier = plainVerifier()
    await fc.assert(
      fc.asyncProperty(anyValue, async (value) => {
        const token = withoutScheme(value)
        const error = await refusalOf(() => verifier.verifyAnyCallerSync(token))
        // Only what is in the table to the letter can be accepted: a signature has one spelling.
        if (error === null) return signedTokens.has(token)
        const { response, log } = toldOf(error)
        return partOfToken(response + log, token) === undefined
      }),
      RUNS,
    )
    t.pass(`${RUNS.numRuns} runs`)
  },
)

t.test(
  'whatever the two headers hold, the outcome is a caller, or a refusal that holds no part of a token',
  async (t) => {
    const verifier = plainVerifier()
    const name = fc.constantFrom('authorization', 'x-serverless-authorization', 'X-Other')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, anyValue), { maxLength: 3 }),
        fc.boolean(),
        async (headers, optional) => {
          const request = requestWith(...headers.flat())
          const policy = { optional, allowedCallers: [login] }
          const error = await refusalOf(() => verifier.authenticate(request, policy))
          const values = headers.map(([, value]) => value)
          if (error === null) {
            return (
              values.some((value) => signedTokens.has(withoutScheme(value))) ||
              (optional && headers.every(([one]) => one === 'X-Other'))
            )
          }
          const { response, log } = toldOf(error)
          return partOfToken(response + log, ...values) === undefined
        },
      ),
      RUNS,
    )
    t.pass(`${RUNS.numRuns} runs`)
  },
)

t.test('a request without a token is counted as anonymous where it may be', async (t) => {
  const outcomes: unknown[] = []
  const counter = { add: (_: number, attributes?: object) => void outcomes.push(attributes) }
  const verifier = verifierWith({ meter: meterWith(() => counter), allowedCallers: [login] })
  t.equal(await verifier.authenticate(requestWith(), { optional: true }), null)
  t.strictSame(outcomes, [{ outcome: 'anonymous', enforced: true }])
})

t.test('an error that is not a refusal is counted as an error', async (t) => {
  const outcomes: unknown[] = []
  const counter = { add: (_: number, attributes?: object) => void outcomes.push(attributes) }
  let broken = false
  const verifier = verifierWith({
    meter: meterWith(() => counter),
    clock: () => {
      if (broken) throw new RangeError('the clock is broken')
      return clock()
    },
  })
  broken = true
  await t.rejects(verifier.verifyAnyCaller(await signed()), RangeError)
  t.strictSame(outcomes, [{ outcome: 'refused', 'error.type': '_OTHER', enforced: true }])
})

t.test('outcomes are published on diagnostics channels, to every subscriber', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const token = await signed()
  verifier.verifyAnyCallerSync(token)
  const published: object[] = []
  const listen = (message: unknown) => void published.push(message as object)
  for (const name of ['verified', 'rejected']) {
    const channel = `fastify-google-id-token:token:${name}`
    subscribe(channel, listen)
    t.teardown(() => unsubscribe(channel, listen))
  }
  const caller: Caller = verifier.verifyAnyCallerSync(token)
  await t.rejects(verifier.authenticate(requestWith()))
  t.match(published, [{ caller }, { code: 'ID_TOKEN_MISSING', detail: { remedy: /Bearer/ } }])
  t.equal(published.length, 2)
})
