/** The exact moments at which keys are asked for, and what events say of it. */
import { generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import type { KeyStore } from '../../src/keys/key-store.ts'
import type { KeyFailure, RemoteKeySetOptions } from '../../src/keys/remote-key-set.ts'
import { ES256, RS256 } from '../../src/keys/signature-algorithms.ts'
import { issuer } from '../helpers/issuer.ts'
import { timedKeySet } from '../helpers/remote-keys.ts'

/** An endpoint without a network, and what it is asked. */
function endpoint(t: Test, options: Partial<RemoteKeySetOptions> = {}) {
  const refreshed: (readonly string[])[] = []
  const failures: KeyFailure[] = []
  const made = {
    answer: (): Response => Response.json(issuer.jwks, { headers: { etag: '"a"' } }),
    refreshed,
    failures,
    settled: async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    },
  }
  const set = timedKeySet(t, 'https://keys.example/', {
    fetch: async () => made.answer(),
    events: {
      refreshed: (_keys, skipped) => refreshed.push(skipped),
      failed: (failure) => failures.push(failure),
      storeFailed: () => undefined,
    },
    ...options,
  })
  return Object.assign(made, set)
}

const failing = (): Response => new Response(null, { status: 500 })

t.test('a refresh starts in the second in which it is due', async (t) => {
  const one = endpoint(t)
  await one.keys.ready()
  one.pass(509_999)
  one.keys.current()
  t.equal(one.keys.stats().fetches, 1)
  one.pass(1)
  one.keys.current()
  t.equal(one.keys.stats().fetches, 2)
})

t.test(
  'a missing key is asked for again at its own pace if the fetch for it has failed',
  async (t) => {
    const one = endpoint(t)
    await one.keys.ready()
    one.answer = failing
    one.pass(1)
    await one.keys.refetch('other', one.now(), true)
    t.equal(one.keys.stats().fetches, 2)
    one.pass(374)
    one.keys.current()
    t.equal(one.keys.stats().fetches, 2)
    one.pass(1)
    one.keys.current()
    t.equal(one.keys.stats().fetches, 3, 'before a refresh would be due')
  },
)

t.test(
  'with keys from a store, a failing endpoint is not asked before a refresh is due',
  async (t) => {
    let stored: Parameters<KeyStore['save']>[0] | null = null
    const keyStore: KeyStore = {
      load: async () => stored,
      save: async (keys) => {
        stored = keys
      },
    }
    const saving = endpoint(t, { keyStore })
    await saving.keys.ready()
    await saving.settled()
    t.ok(stored)
    const restarted = endpoint(t, { keyStore })
    restarted.answer = failing
    t.strictSame(await restarted.keys.ready(), { fetched: false })
    await restarted.settled()
    restarted.pass(60_000)
    t.ok(restarted.keys.current())
    t.equal(restarted.keys.stats().fetches, 1)
  },
)

t.test(
  'keys from a store are used at once, and what they do not have is not known yet',
  async (t) => {
    const saved: Parameters<KeyStore['save']>[0][] = []
    const keyStore: KeyStore = {
      load: async () => saved.at(-1) ?? null,
      save: async (keys) => {
        saved.push(keys)
      },
    }
    const before = endpoint(t, { keyStore })
    await before.keys.ready()
    await before.settled()
    const hangs = (): Promise<Response> => new Promise(() => undefined)
    const { keys } = endpoint(t, { keyStore, fetch: hangs, timeout: 60_000 })
    t.strictSame(await keys.ready(), { fetched: false })
    t.equal(keys.unavailable()?.code, 'ID_TOKEN_KEYS_UNAVAILABLE')
  },
)

t.test('a 304 ignores no key', async (t) => {
  const one = endpoint(t)
  await one.keys.ready()
  one.answer = () => new Response(null, { status: 304 })
  one.pass(510_000)
  one.keys.current()
  await one.settled()
  t.strictSame(one.refreshed, [[], []])
})

t.test('a failure says when the next fetch may be made', async (t) => {
  const one = endpoint(t)
  one.answer = failing
  await one.keys.ready()
  t.match(one.failures, [{ state: 'none', retryIn: 375 }])
  const other = endpoint(t)
  await other.keys.ready()
  other.answer = failing
  other.pass(510_000)
  other.keys.current()
  await other.settled()
  t.match(other.failures, [{ state: 'fresh', retryIn: 500, took: 0 }])
})

t.test('a signature over the first part of a text is none over the whole text', async (t) => {
  const text = 'a'.repeat(8193)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signed = Buffer.from(text.slice(0, 8192))
  const dsaEncoding = 'ieee-p1363' as const
  for (const [{ verify }, { publicKey }, signature] of [
    [RS256, rsa, sign('sha256', signed, rsa.privateKey)],
    [ES256, ec, sign('sha256', signed, { key: ec.privateKey, dsaEncoding })],
  ] as const) {
    const encoded = signature.toString('base64url')
    t.equal(verify(publicKey, text.slice(0, 8192), encoded), true)
    t.equal(verify(publicKey, text, encoded), false)
  }
})
