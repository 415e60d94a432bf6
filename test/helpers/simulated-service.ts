/** A service that verifies tokens with keys from an endpoint, both in a time of their own. */
import { RemoteKeySet } from '../../src/keys/remote-key-set.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import type { Eventual, Outcome as Verification } from '../../src/verifier/outcome.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { TokenVerifier, type Expected } from '../../src/verifier/verify-token.ts'
import { testKey } from './issuer.ts'

const audience = 'https://search.run.app'
const expected: Expected = {
  audiences: parseAudiences('audience', audience),
  header: 'authorization',
}
const START = Date.parse('2026-11-23T12:00:00Z')
const TICK = 10

const issuer = await createTestIssuer({ key: testKey, clock: () => new Date(START) })
const token = await issuer.idToken({ audience, expiresIn: 86_400 })
const [, payload = '', signature = ''] = token.split('.')
const [jwk] = issuer.jwks.keys

/** How the endpoint answers one fetch. */
export interface SimulatedAnswer {
  readonly ok: boolean
  /** Milliseconds that it takes; for ever where it is `Infinity`. */
  readonly after: number
}

/** What became of one request: a code, or `accepted`. */
export type Outcome = 'accepted' | IdTokenError['code']

/** A generator of uniform numbers from 0 to 1 (mulberry32): the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A token whose signature is good for the key with this id once that is published. */
export async function tokenOf(kid: string): Promise<string> {
  return issuer.idToken({ audience, expiresIn: 86_400, header: { kid } })
}

/** A token that would pass, had it a signature of a published key. */
export function bogusToken(kid: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid })).toString('base64url')
  return [header, payload, signature].join('.')
}

interface SimulatedService {
  readonly keys: RemoteKeySet
  /** Moments at which the endpoint was asked. */
  readonly fetchedAt: readonly number[]
  /** Milliseconds since the start. */
  readonly now: () => number
  /** The ids of the keys that the endpoint publishes from now on. */
  readonly publish: (...kids: readonly string[]) => void
  /** Passes time, tick by tick, with whatever comes due. */
  readonly pass: (milliseconds: number) => Promise<void>
  /** Sends a request with this token now. */
  readonly ask: (token: string) => Promise<Outcome>
}

/**
 * A service, with the endpoint that it has its keys from.
 *
 * @param random - for the jitter
 * @param answer - how the endpoint answers now, as it is asked
 */
export function simulate(
  random: () => number,
  answer: (now: number) => SimulatedAnswer,
): SimulatedService {
  let time = 0
  let published: readonly string[] = ['first']
  const due: { at: number; act: () => void }[] = []
  const fetchedAt: number[] = []
  const fetch = (_: unknown, { signal }: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      fetchedAt.push(time)
      const { ok, after } = answer(time)
      // What a server publishes when it is asked.
      const keys = published.map((kid) => ({ ...jwk, kid }))
      const at = Math.min(after, TIMEOUT)
      due.push({
        at: time + at,
        act: () => {
          if (after > TIMEOUT) reject(new Error('the key endpoint did not answer in time'))
          else if (ok) resolve(Response.json({ keys }, { headers: MAX_AGE }))
          else resolve(new Response(null, { status: 500 }))
        },
      })
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  const now = (): number => START + time
  const keys = new RemoteKeySet({
    algorithm: GOOGLE_ID_TOKEN.algorithm,
    uri: 'https://keys.example.com/',
    fetch,
    maxStale: 86_400_000,
    keyStore: undefined,
    events: { refreshed: () => undefined, failed: () => undefined, storeFailed: () => undefined },
    now,
    steadyNow: now,
    timeout: TIMEOUT,
    random,
  })
  const rules = { issuers: [issuer.issuer], clockTolerance: 60, maxTokenLifetime: 86_400 }
  const verifier = new TokenVerifier({ profile: GOOGLE_ID_TOKEN, rules, keys, cache: null, now })
  return {
    keys,
    fetchedAt,
    now: () => time,
    publish: (...kids: readonly string[]) => {
      published = kids
    },
    pass: async (milliseconds: number) => {
      const end = time + milliseconds
      while (time < end) {
        time = Math.min(time + TICK, end)
        for (let i = due.length - 1; i >= 0; i -= 1) {
          if ((due[i]?.at ?? 0) > time) continue
          due.splice(i, 1)[0]?.act()
          await new Promise(setImmediate)
        }
      }
    },
    ask: (token: string): Promise<Outcome> => outcomeOf(verifier.verify(token, expected)),
  }
}

const TIMEOUT = 3_000
const MAX_AGE = { 'cache-control': 'max-age=600' }

async function outcomeOf(verification: Eventual<Verification>): Promise<Outcome> {
  const known = await verification
  return known instanceof IdTokenError ? known.code : 'accepted'
}
