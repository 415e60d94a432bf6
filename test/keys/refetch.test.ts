/** When keys are fetched for a token, what is read of an answer, and what is reported of it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { well, type KeyServer } from '../../bench/faults/key-server.ts'
import { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { freshenedHeaders, loadFreshnessLifetime } from '../../src/keys/freshness.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { RS256 } from '../../src/keys/signature-algorithms.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { silent, warnings } from '../helpers/captured-log.ts'
import { keyServer } from '../helpers/remote-keys.ts'
import { login as email } from '../helpers/shop.ts'
import { stoppedClock } from '../helpers/stopped-clock.ts'
import { until } from '../helpers/waiting.ts'
import { issuer, otherIssuer, testKey } from '../helpers/issuer.ts'

const audience = 'https://search.run.app'

/** A verifier whose keys are those of the server, until the end of the test. */
function remoteVerifier(t: Test, server: KeyServer, options: Partial<VerifierOptions> = {}) {
  const verifier = createVerifier({ audience, jwksUri: server.uri, ...options })
  t.teardown(() => {
    verifier.close()
  })
  return verifier
}

t.test('a thousand first requests cost one fetch', async (t) => {
  const server = await keyServer(t)
  const verifier = remoteVerifier(t, server)
  const token = await issuer.idToken({ email, audience })
  const callers = await Promise.all(
    Array.from({ length: 1000 }, () => verifier.verifyAnyCaller(token)),
  )
  t.equal(callers.length, 1000)
  t.equal(server.requests, 1)
  t.match(verifier.stats().keys, { state: 'fresh', keys: 1, fetches: 1, failures: 0 })
})

t.test('one bogus kid does not hide a key that was just published', async (t) => {
  const rotating = await createTestIssuer({ key: testKey })
  const server = await keyServer(t, rotating)
  const verifier = remoteVerifier(t, server)
  await verifier.ready()
  // The fetch for the bogus token is answered before the key is published.
  let answerBogus = (): void => undefined
  server.answer = (response, document) => {
    answerBogus = () => {
      well(response, document, response.req)
    }
    server.answer = well
  }
  const bogus = verifier.verifyAnyCaller(
    await rotating.idToken({ audience, header: { kid: 'bogus' } }),
  )
  bogus.catch(() => undefined)
  await until(() => server.requests === 2)
  await rotating.rotateKeys()
  server.jwks = rotating.jwks
  const fresh = verifier.verifyAnyCaller(await rotating.idToken({ email, audience }))
  answerBogus()
  t.match(await fresh, { email })
  await t.rejects(bogus, { code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.equal(server.requests, 3)
})

t.test('a hundred first tokens of a new key cost one fetch', async (t) => {
  const rotating = await createTestIssuer({ key: testKey })
  const server = await keyServer(t, rotating)
  const verifier = remoteVerifier(t, server)
  await verifier.ready()
  await rotating.rotateKeys()
  server.jwks = rotating.jwks
  const token = await rotating.idToken({ email, audience })
  await Promise.all(Array.from({ length: 100 }, () => verifier.verifyAnyCaller(token)))
  t.equal(server.requests, 2)
})

t.test('a bogus kid whose token would be refused anyway costs no fetch', async (t) => {
  const server = await keyServer(t)
  const verifier = remoteVerifier(t, server)
  await verifier.ready()
  const header = { kid: 'bogus' }
  const refused = [
    { audience: 'https://other.run.app', header },
    { audience, header, expiresIn: -3600 },
    { audience, header, claims: { iss: 'https://issuer.example.com' } },
    { audience, header: { kid: undefined } },
  ]
  for (const token of refused) {
    await t.rejects(verifier.verifyAnyCaller(await issuer.idToken(token)), {
      code: 'ID_TOKEN_KEY_UNKNOWN',
    })
  }
  t.equal(server.requests, 1)
})

t.test('a key that leaves the set ends its tokens at once, cached or not', async (t) => {
  const rotating = await createTestIssuer({ key: testKey })
  const server = await keyServer(t, rotating)
  const verifier = remoteVerifier(t, server)
  const old = await rotating.idToken({ email, audience })
  await verifier.verifyAnyCaller(old)
  t.equal(verifier.verifyAnyCallerSync(old).email, email)
  t.equal(verifier.stats().tokenCache.size, 1, 'remembered')
  await rotating.rotateKeys({ keepOld: false })
  server.jwks = rotating.jwks
  await verifier.verifyAnyCaller(await rotating.idToken({ email, audience }))
  t.throws(() => verifier.verifyAnyCallerSync(old), { code: 'ID_TOKEN_KEY_UNKNOWN' })
  t.equal(verifier.stats().tokenCache.size, 0, 'forgotten')
})

t.test('what happens to keys and tokens is published, and never a token', async (t) => {
  const server = await keyServer(t)
  const messages: [name: string, message: unknown][] = []
  const names = ['keys:refreshed', 'keys:failed', 'token:verified', 'token:rejected']
  for (const name of names.map((name) => `fastify-google-id-token:${name}`)) {
    const listener = (message: unknown): void => {
      messages.push([name.slice('fastify-google-id-token:'.length), message])
    }
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  const verifier = remoteVerifier(t, server)
  const token = await issuer.idToken({ email, audience })
  await verifier.verifyAnyCaller(token)
  t.throws(() => verifier.verifyAnyCallerSync(`${token.slice(0, -4)}AAAA`))
  await server.lose()
  const lost = remoteVerifier(t, server, { logger: silent })
  await t.rejects(lost.ready())
  t.match(messages, [
    [
      'keys:refreshed',
      { uri: server.uri, keyIds: [issuer.key.kid], lifetimeSeconds: 600, skipped: [] },
    ],
    ['token:verified', { caller: { email } }],
    ['token:rejected', { code: 'ID_TOKEN_SIGNATURE_INVALID', detail: { remedy: String } }],
    [
      'keys:failed',
      { uri: server.uri, reason: /ECONNREFUSED/, state: 'none', retryInSeconds: Number },
    ],
  ])
  const published = JSON.stringify(messages)
  for (const segment of token.split('.')) t.notOk(published.includes(segment))
})

t.test('an outage is logged once a minute at most', async (t) => {
  const server = await keyServer(t)
  const { clock, pass } = stoppedClock()
  const { logger, lines } = warnings()
  const verifier = remoteVerifier(t, server, { clock, logger })
  await verifier.ready()
  await server.lose()
  pass(11 * 60)
  for (let i = 1; i <= 20; i += 1) {
    const { failures } = verifier.stats().keys
    t.throws(() => verifier.verifyAnyCallerSync('a.b.c'))
    if (verifier.stats().keys.fetches > 1 + failures) {
      await until(() => verifier.stats().keys.failures > failures)
    }
    pass(30)
  }
  t.ok(verifier.stats().keys.failures >= 10)
  t.ok(lines.length <= 10, `${lines.length} warnings in ten minutes`)
  t.strictSame(
    new Set(lines.map(({ message }) => message)),
    new Set([
      'the keys of ID tokens could not be refreshed; the last good ones are used past their lifetime',
    ]),
  )
})

t.test('a key store that fails is logged once a minute at most', async (t) => {
  const server = await keyServer(t)
  const { logger, lines } = warnings()
  const verifier = remoteVerifier(t, server, {
    logger,
    keyStore: {
      load: () => Promise.reject(new Error('no bucket')),
      save: () => Promise.reject(new Error('no bucket')),
    },
  })
  await verifier.ready()
  await new Promise(setImmediate)
  t.strictSame(
    lines.map(({ finding }) => finding),
    [{ action: 'load', reason: 'no bucket' }],
  )
})

t.test('unusable keys are left out and logged', async (t) => {
  const server = await keyServer(t)
  server.jwks = { keys: [...issuer.jwks.keys, { kty: 'EC', kid: 'iap' }, { kty: 'RSA' }, {}] }
  const { logger, lines } = warnings()
  const verifier = remoteVerifier(t, server, { logger })
  await verifier.ready()
  t.match(lines, [
    {
      finding: {
        uri: server.uri,
        skipped: ['key iap: kty is not RSA', 'a key without kid', 'a key without kid'],
      },
    },
  ])
})

t.test('freshness follows RFC 9111 within bounds', async (t) => {
  const freshnessLifetime = await loadFreshnessLifetime()
  const date = 'Mon, 23 Nov 2026 12:00:00 GMT'
  const rows: [headers: Record<string, string>, seconds: number][] = [
    [{ 'cache-control': 'public, max-age=23641, must-revalidate, no-transform' }, 23_641],
    [{ 'cache-control': 'max-age=23641', age: '3641' }, 20_000],
    [{ 'cache-control': 'MAX-AGE=300' }, 300],
    [{ 'cache-control': 'private, max-age=300' }, 300],
    [{ expires: 'Mon, 23 Nov 2026 13:00:00 GMT', date }, 3_600],
    [{ 'cache-control': 'max-age=120', expires: 'Mon, 23 Nov 2026 13:00:00 GMT', date }, 120],
    [{}, 600],
    [{ 'cache-control': 'public' }, 600],
    [{ 'last-modified': 'Mon, 23 Nov 2020 12:00:00 GMT', date }, 600],
    [{ 'cache-control': 'max-age=0' }, 60],
    [{ 'cache-control': 'max-age=59' }, 60],
    [{ 'cache-control': 'no-store, max-age=3600' }, 60],
    [{ 'cache-control': 'no-cache' }, 60],
    [{ 'cache-control': 'max-age=nonsense' }, 60],
    [{ 'cache-control': 'max-age=600', age: '9999' }, 60],
    [{ expires: '0', date }, 60],
    [{ 'cache-control': 'max-age=99999999999' }, 86_400],
  ]
  for (const [headers, seconds] of rows) {
    t.equal(Math.round(freshnessLifetime(headers) / 1000), seconds, JSON.stringify(headers))
  }
  t.strictSame(
    freshenedHeaders({ age: '500', etag: '"1"', 'cache-control': 'max-age=600' }, { date }),
    { etag: '"1"', 'cache-control': 'max-age=600', date },
    'a 304 makes the old headers new, but not their age',
  )
})

t.test('the key set is replaced whole, and keys that stay are the same', async (t) => {
  const rotating = await createTestIssuer({ key: testKey })
  const first = parseJwks(rotating.jwks, RS256).keys
  const firstKid = String(rotating.key.kid)
  await rotating.rotateKeys()
  const second = parseJwks(rotating.jwks, RS256, first).keys
  t.equal(second.size, 2)
  t.equal(second.get(firstKid), first.get(firstKid))
  await rotating.rotateKeys({ keepOld: false })
  t.strictSame([...parseJwks(rotating.jwks, RS256, second).keys.keys()], [rotating.key.kid])
  const samekid = { keys: [{ ...otherIssuer.jwks.keys[0], kid: firstKid }] }
  t.not(
    parseJwks(samekid, RS256, first).keys.get(firstKid),
    first.get(firstKid),
    'a kid is not a key',
  )
})

t.test('a set is refused whole where one of its members is no object', async (t) => {
  t.throws(() => parseJwks({ keys: [...issuer.jwks.keys, 'key'] }, RS256), /no object/)
  t.throws(() => parseJwks([issuer.jwks], RS256), /no "keys" list/)
  t.throws(() => parseJwks({ keys: [{ kty: 'RSA', kid: 'a' }] }, RS256), /key a: no n or e/)
  t.throws(
    () => parseJwks({ keys: [{ kty: 'RSA', kid: 'a', n: '', e: '' }] }, RS256),
    /not an RSA key/,
  )
  const forEncryption = { ...issuer.jwks.keys[0], key_ops: ['encrypt'] }
  t.throws(() => parseJwks({ keys: [forEncryption] }, RS256), /key_ops has no verify/)
  const forBoth = { ...issuer.jwks.keys[0], key_ops: ['verify'] }
  t.equal(parseJwks({ keys: [forBoth] }, RS256).keys.size, 1)
  const weak = { ...issuer.jwks.keys[0], e: 'AQ' }
  t.throws(() => parseJwks({ keys: [weak] }, RS256), /exponent 65537/)
})
