/** Whatever is given for options and policies: it is good, or the documented error says what is not. */
import Fastify, { type FastifyInstance } from 'fastify'
import fc from 'fast-check'
import type { Test } from 'tap'
import { googleIdToken as guardExpress } from '../../src/express.ts'
import guardFastify, { createVerifier } from '../../src/index.ts'
import { OPTION_NAMES } from '../../src/verifier/verifier-options.ts'
import { recordedLog } from './guarded-app.ts'
import { issuer } from './issuer.ts'
import { audience, login, search } from './shop.ts'

const SEED = 20_261_128

/** What a value may be, besides what one is meant to be. */
const anyValue = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  fc.constantFrom<unknown>(
    undefined,
    true,
    false,
    null,
    0,
    '',
    [],
    {},
    [login],
    [[login]],
    audience,
    [audience],
    { allowedCallers: [] },
    { allowedCallers: [login] },
    { optional: true },
    { reportOnly: true },
    { reportOnly: true, allowedCallers: [] },
    { keys: [] },
    { max: 0 },
    { max: 1 },
    NaN,
  ),
)

/** A `fetch` of any kind could be the one that asks Google. */
const NAMES = [
  ...OPTION_NAMES.filter((name) => name !== 'fetch'),
  'reportOnly',
  'auditLog',
  'refusalLog',
  'tracing',
  'prefetch',
  'audiance',
  '__proto__',
]

/** Keys that are prefetched must not come from Google. */
const offline = (): Promise<Response> => Promise.reject(new Error('no network here'))
const silent = { warn: () => undefined, info: () => undefined }

/** Good options, but for one of them, or two. */
const anyOptions = fc
  .oneof(
    fc.constant([]),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), anyValue), { minLength: 1, maxLength: 2 }),
  )
  .chain((changes) =>
    fc.constantFrom({ allowedCallers: [login] }, {}).map((list) => {
      const good = { audience, jwks: issuer.jwks, logger: silent, fetch: offline, ...list }
      return Object.fromEntries([...Object.entries(good), ...changes]) as object
    }),
  )

const sometimes = <Value>(good: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: good }, { weight: 1, arbitrary: anyValue })

/** Mostly a policy, with some of its members. */
const anyPolicy = fc.oneof(
  fc.constant(undefined),
  anyValue,
  fc.record(
    {
      allowedCallers: sometimes(fc.constantFrom([login], [search, login])),
      audience: sometimes(fc.constantFrom(audience, [audience, 'custom'])),
      optional: sometimes(fc.boolean()),
      reportOnly: sometimes(fc.boolean()),
    },
    { requiredKeys: [] },
  ),
)

type Outcome = 'starts' | 'is refused'

/** @throws Error where another error is thrown */
async function outcomeOf(start: () => unknown): Promise<Outcome> {
  try {
    await start()
    return 'starts'
  } catch (error) {
    const isDocumented =
      error instanceof TypeError && (error as { code?: unknown }).code === 'ID_TOKEN_OPTION_INVALID'
    if (isDocumented) return 'is refused'
    throw new Error('another error than the documented one', { cause: error })
  }
}

/** Asserts that for so many options and policies. */
export async function assertOptions(t: Test, runs: number): Promise<void> {
  const counts: Record<string, number> = {}
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1)
  const property = fc.asyncProperty(anyOptions, anyPolicy, async (options, policy) => {
    count(await outcomeOf(() => createVerifier(options as never).close()))
    const auth = (): void => {
      const guard = guardExpress(options as never)
      guard.verifier.close()
      guard.allow(policy as never)
      guard.allow([login], policy as never)
    }
    count(await outcomeOf(auth))
    count(await fastifyOutcome(options, policy))
  })
  const report = { seed: SEED, numRuns: runs, includeErrorInReport: true }
  await fc.assert(property, report)
  t.comment(counts)
  for (const outcome of ['starts', 'is refused', '200', '401']) {
    t.ok((counts[outcome] ?? 0) > runs / 50, `${outcome}: ${counts[outcome] ?? 0}`)
  }
}

/** Whether an app starts, and what it answers to a request without a token. */
async function fastifyOutcome(options: object, policy: unknown): Promise<string> {
  const app = Fastify({ loggerInstance: recordedLog().logger })
  try {
    const start = async (): Promise<void> => {
      app.register(guardFastify, options as never)
      app.get('/', { config: { idToken: policy as never } }, () => 'let in')
      await app.ready()
    }
    if ((await outcomeOf(start)) === 'is refused') return 'is refused'
    assertListed(app.listAllowedCallers())
    const { statusCode } = await app.inject('/')
    const isLetIn = isOpen(policy, options)
    if (statusCode !== (isLetIn ? 200 : 401)) throw new Error(`${statusCode} without a token`)
    return String(statusCode)
  } finally {
    await app.close()
  }
}

/** Default deny: an app starts only if every route has a list, or says that it needs none. */
function assertListed(routes: ReturnType<FastifyInstance['listAllowedCallers']>): void {
  for (const { access, allowedCallers, reportOnly = false } of routes) {
    if (access === 'open' || reportOnly || allowedCallers.length > 0) continue
    throw new Error('a route without a list')
  }
}

/** Only who has said so lets in a request without a token. */
function isOpen(policy: unknown, options: object): boolean {
  if (policy === false) return true
  const { optional, reportOnly } = Object(policy) as { optional?: unknown; reportOnly?: unknown }
  const { reportOnly: byDefault = false } = options as { reportOnly?: unknown }
  return optional === true || (reportOnly ?? byDefault) === true
}
