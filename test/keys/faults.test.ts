/** A verifier through each fault of the key endpoint that the bench knows. */
import t, { type Test } from 'tap'
import { RemoteKeySet } from '../../src/keys/remote-key-set.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import type { TestIapAssertion, TestIdToken } from '../../src/testing.ts'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import type { Eventual, Outcome } from '../../src/verifier/outcome.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import type { TokenProfile } from '../../src/profiles/token-profile.ts'
import { TokenVerifier, type Expected } from '../../src/verifier/verify-token.ts'
import { FAULTS, type Fault } from '../../bench/faults/faults.ts'
import type { KeyServer } from '../../bench/faults/key-server.ts'
import { keyServer } from '../helpers/remote-keys.ts'
import { login as email } from '../helpers/shop.ts'
import { stoppedClock } from '../helpers/stopped-clock.ts'
import { issuer } from '../helpers/issuer.ts'

const audience = 'https://search.run.app'
const as: Expected = { audiences: parseAudiences('audience', audience), header: 'authorization' }
const LIFETIME = 600_000
const MAX_STALE = 86_400_000
const ONE_MINUTE = 60_000

type Answer = 'accepted' | IdTokenError['code']

/** What a valid token gets at each moment, where the endpoint gives no usable answer. */
const MOMENTS: readonly {
  readonly moment: string
  /** Milliseconds since the last good answer; `null` without one. */
  readonly since: number | null
  readonly valid: Answer
}[] = [
  {
    moment: 'first fetch',
    since: null,
    valid: 'ID_TOKEN_KEYS_UNAVAILABLE',
  },
  {
    moment: 'flood of bogus kids while fresh',
    since: 1_000,
    valid: 'accepted',
  },
  {
    moment: 'refresh',
    since: LIFETIME * 0.95,
    valid: 'accepted',
  },
  {
    moment: 'after expiry',
    since: LIFETIME + 1,
    valid: 'accepted',
  },
  {
    moment: 'at the end of maxStale',
    since: LIFETIME + MAX_STALE - 1_000,
    valid: 'accepted',
  },
  {
    moment: 'past maxStale',
    since: LIFETIME + MAX_STALE,
    valid: 'ID_TOKEN_KEYS_UNAVAILABLE',
  },
]

const PATIENT = 10_000

/** A key set on the server, and a verifier on the key set, in a time of their own. */
function protect({ server, profile, tokens }: Kind) {
  const { now, pass } = stoppedClock()
  let timeout = PATIENT
  const keys = new RemoteKeySet({
    algorithm: profile.algorithm,
    uri: server.uri,
    fetch,
    maxStale: MAX_STALE,
    keyStore: undefined,
    events: { refreshed: () => undefined, failed: () => undefined, storeFailed: () => undefined },
    now,
    steadyNow: now,
    get timeout() {
      return timeout
    },
  })
  const rules = {
    issuers: profile.issuers,
    clockTolerance: 60,
    maxTokenLifetime: Infinity,
  }
  const verifier = new TokenVerifier({ profile, rules, keys, cache: null, now })
  return {
    keys,
    tokens,
    verify: (token: string) => verifier.verify(token, as),
    /** Milliseconds for each fetch from now on: a busy machine answers late, and a fault never. */
    giveEachFetch: (milliseconds: number) => {
      timeout = milliseconds
    },
    pass: (milliseconds: number) => {
      pass(milliseconds / 1000)
    },
  }
}

async function tokensOf(sign: (token: TestIdToken & TestIapAssertion) => Promise<string>) {
  const claims = { exp: Math.floor(Date.now() / 1000) + 10 * 86_400 }
  const valid = await sign({ email, audience, claims })
  const bogusKid = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      sign({ email, audience, claims, header: { kid: `bogus-${i}` } }),
    ),
  )
  return { valid, bogusKid, garbage: 'bm90.YQ.dG9rZW4' }
}

async function answerTo(verify: () => Eventual<Outcome>): Promise<Answer> {
  const outcome = await verify()
  return outcome instanceof IdTokenError ? outcome.code : 'accepted'
}

const server = await keyServer(t)
const iapServer = await keyServer(t, { jwks: issuer.iapJwks })

/** Tokens of one kind, and who publishes their keys. */
interface Kind {
  readonly name: string
  readonly profile: TokenProfile
  readonly server: KeyServer
  readonly tokens: Awaited<ReturnType<typeof tokensOf>>
}

const KINDS: readonly Kind[] = [
  {
    name: 'the key endpoint',
    profile: GOOGLE_ID_TOKEN,
    server,
    tokens: await tokensOf(issuer.idToken),
  },
  {
    name: 'the key endpoint of IAP',
    profile: IAP_ASSERTION,
    server: iapServer,
    tokens: await tokensOf(issuer.iapAssertion),
  },
]
const stopListening: (() => void)[] = []
for (const event of ['unhandledRejection', 'warning']) {
  const fail = (problem: unknown): void => {
    t.fail(event, { problem })
  }
  process.on(event, fail)
  stopListening.push(() => process.off(event, fail))
}
const resourcesBefore = activeResources()

const CASES = KINDS.flatMap((kind) => FAULTS.map((fault) => ({ kind, fault })))

for (const { kind, fault } of CASES) {
  t.test(`${kind.name}: ${fault.name}`, async (t) => {
    const { server } = kind
    for (const row of MOMENTS) {
      const service = protect(kind)
      if (row.since !== null) {
        await service.keys.ready()
        service.pass(row.since)
      }
      // A fault ends by itself or by the timeout; usable answers get all the time they need.
      if (!fault.usable) service.giveEachFetch(150)
      await fault.begin(server)
      await t.test(row.moment, (t) => underFault(t, fault, row, service))
      await fault.end(server)
      await t.test(`${row.moment}: recovers`, (t) => recovers(t, service))
      service.keys.close()
    }
  })
}

t.test('no socket and no timer is left behind', async (t) => {
  await Promise.all([server.lose(), iapServer.lose()])
  const leftOver = (): boolean => activeResources() > resourcesBefore - KINDS.length
  for (let turns = 0; leftOver() && turns < 10_000; turns += 1) await new Promise(setImmediate)
  t.notOk(leftOver(), 'the listeners are gone too')
  for (const stop of stopListening) stop()
})

/** Sockets, listeners and timers that keep the process alive. */
function activeResources(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(?:TCP|Timeout)/.test(name)).length
}

async function underFault(
  t: Test,
  fault: Fault,
  row: (typeof MOMENTS)[number],
  { keys, verify, tokens }: ReturnType<typeof protect>,
): Promise<void> {
  const fetchesBefore = keys.stats().fetches
  const bogus = tokens.bogusKid.map((token) => answerTo(() => verify(token)))
  if (row.valid === 'accepted') {
    // Not a promise: a request with a good token waits for nothing.
    t.match(verify(tokens.valid), { claims: { aud: audience } }, 'a valid token at once')
  } else {
    t.equal(await answerTo(() => verify(tokens.valid)), fault.usable ? 'accepted' : row.valid)
  }
  t.equal(await answerTo(() => verify(tokens.garbage)), 'ID_TOKEN_MALFORMED', 'garbage')
  // Where the newest fetch failed, nobody can say that there is no such key.
  const bogusKid = fault.usable ? 'ID_TOKEN_KEY_UNKNOWN' : 'ID_TOKEN_KEYS_UNAVAILABLE'
  t.strictSame(new Set(await Promise.all(bogus)), new Set([bogusKid]), 'bogus kids')
  t.ok(keys.stats().fetches - fetchesBefore <= 5, 'at most 5 fetches')
  if (row.valid === 'accepted') {
    t.match(verify(tokens.valid), { claims: { aud: audience } }, 'still, after the fetches')
  }
}

async function recovers(
  t: Test,
  { keys, verify, tokens, pass, giveEachFetch }: ReturnType<typeof protect>,
) {
  giveEachFetch(PATIENT)
  pass(ONE_MINUTE)
  t.equal(await answerTo(() => verify(tokens.valid)), 'accepted')
  if (keys.stats().state !== 'fresh') await t.resolves(freshAgain(keys))
  t.equal(keys.stats().state, 'fresh')
}

/** The refresh that the request before has set off. */
async function freshAgain(keys: RemoteKeySet): Promise<void> {
  while (keys.stats().state !== 'fresh') await new Promise(setImmediate)
}
