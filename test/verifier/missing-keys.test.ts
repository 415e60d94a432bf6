/** Tokens whose keys are missing, or are fetched while they wait. */
import t, { type Test } from 'tap'
import { VerifiedTokenCache } from '../../src/cache/verified-token-cache.ts'
import { refusal } from '../../src/errors/id-token-error.ts'
import { createVerifier, type VerifierOptions } from '../../src/index.ts'
import type { Keys, KeySet } from '../../src/keys/key-set.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { staticKeySet } from '../../src/keys/static-key-set.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'
import { TokenVerifier, type ValidatedCaller } from '../../src/verifier/verify-token.ts'
import { silent } from '../helpers/captured-log.ts'
import { otherIssuer } from '../helpers/issuer.ts'
import { audience, login as email } from '../helpers/shop.ts'
import { clock, issuer, signed, time } from '../helpers/timed-verifier.ts'

const keys = parseVerifierOptions({ audience, jwks: issuer.jwks }).keys as Keys
const expected = {
  audiences: parseAudiences('audience', audience),
  header: 'authorization',
} as const
const unavailable = refusal('ID_TOKEN_KEYS_UNAVAILABLE', { found: 'none' })
const token = await signed()

/** A verifier with keys that a test takes away and gives back. */
function withKeys(more: Partial<KeySet> = {}) {
  const held: { keys: Keys | null; refetches: string[] } = { keys, refetches: [] }
  const tokens = new TokenVerifier({
    profile: GOOGLE_ID_TOKEN,
    rules: { issuers: [issuer.issuer], clockTolerance: 60, maxTokenLifetime: 86_400 },
    keys: {
      ...staticKeySet(keys),
      current: () => held.keys,
      ready: () => Promise.resolve(held.keys === null ? unavailable : { fetched: false }),
      unavailable: () => (held.keys === null ? unavailable : null),
      refetch: (kid) => {
        held.refetches.push(kid)
        return null
      },
      ...more,
    },
    cache: new VerifiedTokenCache<ValidatedCaller>(10),
    now: time.now,
  })
  return { held, tokens }
}

t.test('a remembered token needs current keys like any other', async (t) => {
  const { held, tokens } = withKeys()
  for (let use = 0; use < 3; use += 1) t.match(tokens.verify(token, expected), { email })
  held.keys = null
  t.equal(await tokens.verify(token, expected), unavailable)
  held.keys = keys
  t.match(tokens.verify(token, expected), { email })
})

t.test('keys that cannot be had are fetched no second time for the same token', async (t) => {
  const { held, tokens } = withKeys()
  held.keys = null
  t.equal(await tokens.verify(token, expected), unavailable)
  t.strictSame(held.refetches, [])
})

t.test(
  'keys that were fetched for a token are not fetched again, those of a store are',
  async (t) => {
    for (const [fetched, refetches] of [
      [true, []],
      [false, [issuer.key.kid]],
    ] as const) {
      const { held, tokens } = withKeys({
        ready: () => {
          held.keys = new Map()
          return Promise.resolve({ fetched })
        },
      })
      held.keys = null
      t.match(await tokens.verify(token, expected), { code: 'ID_TOKEN_KEY_UNKNOWN' })
      t.strictSame(held.refetches, refetches)
    }
  },
)

t.test('keys that end while a token waits for them are unavailable', async (t) => {
  for (const fetched of [true, false]) {
    const { held, tokens } = withKeys({ ready: () => Promise.resolve({ fetched }) })
    held.keys = null
    t.equal(await tokens.verify(token, expected), unavailable)
  }
  const { held, tokens } = withKeys({
    refetch: async () => {
      await Promise.resolve()
      held.keys = null
    },
  })
  held.keys = new Map()
  t.equal(await tokens.verify(token, expected), unavailable)
})

/** A verifier whose fetches are answered when a test says so. */
function fetching(more: Partial<VerifierOptions> = {}) {
  const answers: ((response: Response) => void)[] = []
  const verifier = createVerifier({
    audience,
    clock,
    logger: silent,
    fetch: () => new Promise((resolve) => answers.push(resolve)),
    ...more,
  })
  return { verifier, answer: (jwks: object) => answers.shift()?.(Response.json(jwks)) }
}

/** The same, with keys of another issuer. */
async function withOtherKeys(t: Test) {
  const made = fetching()
  t.teardown(() => {
    made.verifier.close()
  })
  const ready = made.verifier.ready()
  made.answer(otherIssuer.jwks)
  await ready
  return made
}

t.test('verifySync says which key is missing, while it is looked for', async (t) => {
  const { verifier, answer } = await withOtherKeys(t)
  t.throws(() => verifier.verifyAnyCallerSync(token), {
    code: 'ID_TOKEN_KEY_UNKNOWN',
    detail: { found: issuer.key.kid },
  })
  answer(issuer.jwks)
  await new Promise(setImmediate)
  t.match(verifier.verifyAnyCallerSync(token), { email })
})

t.test('tokens that do not wait for a fetch cause one, however many they are', async (t) => {
  const { verifier, answer } = await withOtherKeys(t)
  const unknown = { code: 'ID_TOKEN_KEY_UNKNOWN' }
  for (let n = 0; n < 3; n += 1) t.throws(() => verifier.verifyAnyCallerSync(token), unknown)
  t.equal(verifier.stats().keys.fetches, 2)
  answer(otherIssuer.jwks)
  await new Promise(setImmediate)
  t.equal(verifier.stats().keys.fetches, 2, 'none follows it')
  t.throws(() => verifier.verifyAnyCallerSync(token), unknown)
  t.equal(verifier.stats().keys.fetches, 3, 'until the next token')
})

t.test('verifySync: what breaks while keys are fetched does not end the process', async (t) => {
  const unhandled: unknown[] = []
  const note = (problem: unknown): void => void unhandled.push(problem)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  let isBroken = false
  const { verifier, answer } = fetching({
    clock: () => {
      if (isBroken) throw new Error('the clock is broken')
      return clock()
    },
  })
  t.throws(() => verifier.verifyAnyCallerSync(token), { code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  isBroken = true
  answer(issuer.jwks)
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
  t.strictSame(unhandled, [])
  isBroken = false
  verifier.close()
})
