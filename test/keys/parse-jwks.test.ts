/** Which keys of a set are used, which are ignored, and which sets are refused whole. */
import t from 'tap'
import { iapJwks, jwks } from '../../fixtures/rows.ts'
import { fetchJwks, type JwksRequest } from '../../src/keys/fetch-jwks.ts'
import {
  fromStoredKeys,
  loadWithin,
  toStoredKeys,
  type StoredKeys,
} from '../../src/keys/key-store.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { ES256, RS256 } from '../../src/keys/signature-algorithms.ts'

type Jwk = Readonly<Record<string, unknown>>
const [rsa = {}] = jwks.keys as readonly Jwk[]
const [ec = {}] = iapJwks.keys as readonly Jwk[]
const parse = (...keys: readonly unknown[]) => parseJwks({ keys }, RS256)

/** Why a key beside a good one is ignored. */
function whyIgnored(jwk: Jwk, algorithm = RS256, good = rsa): unknown {
  const { keys, skipped } = parseJwks({ keys: [{ ...good, kid: 'good' }, jwk] }, algorithm)
  return skipped.length === 1 && keys.size === 1 ? skipped[0] : [skipped, [...keys.keys()]]
}

t.test('a key has its id, its algorithm and its public members', (t) => {
  const { keys, skipped } = parse(
    { ...rsa, kid: 'a' },
    { n: rsa.n, e: rsa.e, kty: 'RSA', kid: 'b' },
  )
  t.strictSame([...keys.keys()], ['a', 'b'])
  t.strictSame(skipped, [])
  const key = keys.get('a')
  t.strictSame([key?.kid, key?.algorithm, key?.members], ['a', RS256, { n: rsa.n, e: rsa.e }])
  t.equal(key?.publicKey.type, 'public')
  t.end()
})

t.test('a document that is no set is refused', (t) => {
  for (const document of [undefined, null, 7, 'a', [], [rsa], {}, { keys: {} }, { keys: null }]) {
    t.throws(() => parseJwks(document, RS256), { message: 'not a JWK set: no "keys" list' })
  }
  for (const member of [undefined, null, 7, 'a', [], [rsa]]) {
    t.throws(() => parse(rsa, member), { message: 'not a JWK set: a key that is no object' })
  }
  t.end()
})

t.test('a set with a secret, or with two keys of one id, is refused whole', (t) => {
  const secret = { message: 'the JWK set holds a private or symmetric key' }
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    t.throws(() => parse(rsa, { ...rsa, kid: 'other', [name]: '' }), secret, name)
  }
  t.throws(() => parse(rsa, { kty: 'oct', kid: 'other' }), secret)
  t.throws(() => parse(rsa, rsa), { message: 'the JWK set holds two keys with the same kid' })
  t.end()
})

t.test('a key that is not for this is ignored, with the reason', (t) => {
  for (const kid of [undefined, '', 7, null])
    t.equal(whyIgnored({ ...rsa, kid }), 'a key without kid')
  const key = { ...rsa, kid: 'x' }
  for (const [members, reason] of [
    [{ kty: 'EC' }, 'kty is not RSA'],
    [{ use: 'enc' }, 'use is not sig'],
    [{ use: null }, 'use is not sig'],
    [{ alg: 'RS512' }, 'alg is not RS256'],
    [{ key_ops: [] }, 'key_ops has no verify'],
    [{ key_ops: ['sign', 'encrypt'] }, 'key_ops has no verify'],
    [{ n: undefined }, 'no n or e'],
    [{ e: 7 }, 'no n or e'],
    [{ e: 'Aw' }, 'not an RSA key of 2048 bits or more, with exponent 65537 or more'],
    [{ n: 'AQAB' }, 'not an RSA key of 2048 bits or more, with exponent 65537 or more'],
  ] as const) {
    t.equal(whyIgnored({ ...key, ...members }), `key x: ${reason}`)
  }
  for (const members of [
    { use: undefined },
    { alg: undefined },
    { key_ops: ['verify'] },
    { key_ops: 'sign' },
    { x: 1 },
  ]) {
    t.equal(parse({ ...key, ...members }).keys.size, 1)
  }
  const long = 'k'.repeat(65)
  t.equal(whyIgnored({ ...rsa, kid: long, use: 'enc' }), `key ${long.slice(1)}: use is not sig`)
  t.throws(() => parse({ ...key, use: 'enc' }, { ...key, kty: 'EC' }), {
    message: 'the JWK set holds no usable key; key x: use is not sig; key x: kty is not RSA',
  })
  t.throws(() => parse(), { message: 'the JWK set holds no usable key' })
  t.end()
})

t.test('a key of IAP is a point of P-256', (t) => {
  const key = { ...ec, kid: 'x' }
  t.equal(parseJwks({ keys: [key] }, ES256).keys.size, 1)
  for (const [members, reason] of [
    [{ crv: 'P-384' }, 'not an EC key on the curve P-256'],
    [{ x: ec.y }, 'not an EC key on the curve P-256'],
    [{ x: undefined }, 'no crv or x or y'],
    [{ crv: undefined }, 'no crv or x or y'],
  ] as const) {
    t.equal(whyIgnored({ ...key, ...members }, ES256, ec), `key x: ${reason}`)
  }
  t.end()
})

t.test('a key that comes again stays the same object; another one of its id does not', (t) => {
  const { keys: before } = parse(rsa)
  const kid = String(rsa.kid)
  t.equal(parseJwks({ keys: [rsa] }, RS256, before).keys.get(kid), before.get(kid))
  const [, other = rsa] = jwks.keys as readonly Jwk[]
  t.not(other.n, rsa.n)
  t.not(parseJwks({ keys: [{ ...other, kid }] }, RS256, before).keys.get(kid), before.get(kid))
  t.not(parse(rsa).keys.get(kid), before.get(kid))
  t.end()
})

t.test('what a store keeps, and what of it is used', async (t) => {
  const { keys } = parse({ ...rsa, kid: 'x', extra: 1 })
  const stored = toStoredKeys({ keys, fetchedAt: 1_000, lifetime: 5_000 })
  const { n, e } = rsa
  t.strictSame(stored, {
    jwks: { keys: [{ kty: 'RSA', alg: 'RS256', use: 'sig', kid: 'x', n, e }] },
    fetchedAt: 1_000,
    lifetimeSeconds: 5,
  })
  const restored = fromStoredKeys(stored, RS256, 1_000)
  t.strictSame([...restored.keys.keys()], ['x'])
  t.strictSame([restored.fetchedAt, restored.lifetime], [1_000, 5_000])
  for (const [wrong, message] of [
    [{ fetchedAt: 1_001 }, 'the stored keys are from the future'],
    [{ fetchedAt: '1' }, 'the stored keys have no fetchedAt or lifetimeSeconds'],
    [{ lifetimeSeconds: NaN }, 'the stored keys have no fetchedAt or lifetimeSeconds'],
    [{ jwks: {} }, 'not a JWK set: no "keys" list'],
  ] as const) {
    t.throws(() => fromStoredKeys({ ...stored, ...wrong } as StoredKeys, RS256, 1_000), { message })
  }
  const { signal } = new AbortController()
  t.equal(await loadWithin(undefined, 10, signal), null)
  const save = async (): Promise<void> => undefined
  t.equal(await loadWithin({ load: async () => stored, save }, 10, signal), stored)
  const hangs = { load: () => new Promise<null>(() => undefined), save }
  await t.rejects(loadWithin(hangs, 10, signal), {
    message: 'the key store did not answer in time',
  })
  let isAsked = false
  const asked = {
    load: async () => {
      isAsked = true
      return null
    },
    save,
  }
  await t.rejects(loadWithin(asked, 10, AbortSignal.abort(new Error('closed'))), {
    message: 'closed',
  })
  t.notOk(isAsked)
})

/** What is sent, and what becomes of the answer. */
async function ask(
  answer: Response | ((signal: AbortSignal) => Promise<Response>),
  etag?: string,
  signal = new AbortController().signal,
): Promise<{ readonly sent: unknown[]; readonly outcome: unknown }> {
  const sent: unknown[] = []
  const request: JwksRequest = {
    uri: 'https://keys.example/',
    etag,
    signal,
    fetch: async (...given) => {
      sent.push(...given)
      return typeof answer === 'function' ? answer(signal) : answer
    },
  }
  const outcome: unknown = await fetchJwks(request).catch((error: unknown) => error)
  return { sent, outcome }
}

t.test('the endpoint is asked for JSON, past all caches, and for what has changed', async (t) => {
  const { signal } = new AbortController()
  const init = { signal, redirect: 'manual', cache: 'no-store' }
  t.strictSame((await ask(Response.json({}), undefined, signal)).sent, [
    'https://keys.example/',
    { ...init, headers: { accept: 'application/json' } },
  ])
  t.strictSame((await ask(Response.json({}), '"a"', signal)).sent, [
    'https://keys.example/',
    { ...init, headers: { accept: 'application/json', 'if-none-match': '"a"' } },
  ])
})

t.test('200 has a document, and 304 says that the last one is still valid', async (t) => {
  const headers = { 'cache-control': 'max-age=1' }
  t.match((await ask(Response.json({ keys: [] }, { headers }))).outcome, {
    document: { keys: [] },
    headers,
  })
  const notModified = () => new Response(null, { status: 304, headers })
  t.strictSame((await ask(notModified(), '"a"')).outcome, { document: undefined, headers })
  const answered = (status: number) => ({ message: `the key endpoint answered ${status}` })
  t.match((await ask(notModified())).outcome, answered(304), 'nothing was asked for')
  for (const status of [201, 204, 302, 404, 500]) {
    t.match((await ask(new Response(null, { status }))).outcome, answered(status))
    t.match((await ask(new Response(null, { status }), '"a"')).outcome, answered(status))
  }
  const redirected = Object.defineProperty(Response.json({}), 'redirected', { value: true })
  t.match((await ask(redirected)).outcome, answered(200))
})

t.test('an answer is JSON of at most 64 KiB, and one that is not is not read on', async (t) => {
  const ofBytes = (bytes: number) => `"${'a'.repeat(bytes - 2)}"`
  t.match((await ask(new Response(ofBytes(65_536)))).outcome, { document: 'a'.repeat(65_534) })
  const tooLong = { message: 'the key endpoint answered over 65536 bytes' }
  t.match((await ask(new Response(ofBytes(65_537)))).outcome, tooLong)
  let [isCancelled, sent] = [false, 0]
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      controller.enqueue(new Uint8Array(10_000))
    },
    cancel() {
      isCancelled = true
    },
  })
  t.match((await ask(new Response(endless))).outcome, tooLong)
  t.ok(isCancelled)
  t.ok(sent < 12, `${sent} pieces`)
  for (const body of ['', '{', 'a']) {
    t.match((await ask(new Response(body))).outcome, {
      message: 'the key endpoint did not answer with JSON',
    })
  }
  t.match((await ask(new Response(null))).outcome, {
    message: 'the key endpoint did not answer with JSON',
  })
})

t.test('a fetch that ignores its signal is not waited for', async (t) => {
  const controller = new AbortController()
  const asked = ask(() => new Promise(() => undefined), undefined, controller.signal)
  controller.abort(new Error('closed'))
  t.match((await asked).outcome, { message: 'closed' })
})
