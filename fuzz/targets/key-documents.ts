/**
 * The answer of a key endpoint: its document and how long it is fresh.
 *
 * Input: headers, one a line (`:status: 304` for another status), an empty line, and the document. In
 * it, `$0` to `$5` stand for the members of keys of the fixtures: chance finds none.
 */
import assert from 'node:assert/strict'
import { fetchJwks, type JwksAnswer } from '../../src/keys/fetch-jwks.ts'
import { loadFreshnessLifetime } from '../../src/keys/freshness.ts'
import type { VerificationKey } from '../../src/keys/key-set.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { ES256, RS256 } from '../../src/keys/signature-algorithms.ts'
import iapJwks from '../../fixtures/iap-jwks.json' with { type: 'json' }
import jwks from '../../fixtures/jwks.json' with { type: 'json' }

type Jwk = Readonly<Record<string, unknown>>

/** Moduli, and coordinates of points. */
const MEMBERS: readonly string[] = [
  ...jwks.keys.slice(0, 2).map(({ n }) => n),
  ...iapJwks.keys.slice(0, 2).flatMap(({ x, y }) => [x, y]),
]

export async function fuzz(data: Buffer): Promise<void> {
  const answer = await answerTo(data)
  if (answer === null) return
  const lifetime = (await loadFreshnessLifetime())(answer.headers)
  assert.ok(Number.isInteger(lifetime) && lifetime >= MINUTE && lifetime <= DAY, `${lifetime} ms`)
  const stated = statedSeconds(answer.headers)
  if (stated !== null) assert.equal(lifetime, Math.min(Math.max(stated * 1000, MINUTE), DAY))
  for (const algorithm of [RS256, ES256]) {
    const keys = keysOf(answer.document, algorithm)
    if (keys === null) continue
    for (const key of keys.values()) assertKey(answer.document, key)
    const { keys: again } = parseJwks(answer.document, algorithm, keys)
    assert.deepEqual([...again.values()], [...keys.values()])
    for (const [kid, key] of again) assert.equal(key, keys.get(kid), 'a key that comes again')
  }
}

const MINUTE = 60_000
const DAY = 86_400_000

async function answerTo(data: Buffer): Promise<JwksAnswer | null> {
  const text = data.toString('latin1')
  const end = text.search(/\n\n|$/)
  const body = text.slice(end + 2).replace(/\$([0-5])/g, (_, at) => MEMBERS[Number(at)] ?? '')
  const response = responseOf(text.slice(0, end).split('\n'), Buffer.from(body, 'latin1'))
  if (response === null) return null
  try {
    return await fetchJwks({
      uri: 'https://keys.example/',
      fetch: () => Promise.resolve(response),
      etag: undefined,
      signal: new AbortController().signal,
    })
  } catch (error) {
    assert.match(
      (error as Error).message,
      /^the key endpoint (?:answered [0-9]{3}|answered over 65536 bytes|did not answer with JSON)$/,
    )
    return null
  }
}

/** `null` if no server can answer like this. */
function responseOf(head: readonly string[], body: Buffer): Response | null {
  const headers = new Headers()
  let status = 200
  for (const line of head) {
    const [, name = '', value = ''] = /^(:?[^:]*):(.*)$/.exec(line) ?? []
    if (name === ':status') status = Number(value)
    else {
      try {
        headers.append(name, value)
      } catch {
        return null
      }
    }
  }
  const hasNoBody = [204, 205, 304].includes(status)
  if (!Number.isInteger(status) || status < 200 || status > 599) return null
  return new Response(hasNoBody ? null : body, { status, headers })
}

function keysOf(
  document: unknown,
  algorithm: typeof RS256,
): ReadonlyMap<string, VerificationKey> | null {
  try {
    const { keys, skipped } = parseJwks(document, algorithm)
    assert.ok(keys.size > 0)
    assert.equal(keys.size + skipped.length, (document as { keys: unknown[] }).keys.length)
    assertQuotesNoKey(document, skipped.join())
    return keys
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    assert.equal((error as Error).constructor, Error, String(error))
    assertQuotesNoKey(document, (error as Error).message)
    return null
  }
}

/** A kid may be shown; a member of a key may not. */
function assertQuotesNoKey(document: unknown, message: string): void {
  const { keys } = Object(document) as { keys: unknown }
  const jwks = Array.isArray(keys) ? keys.map((key) => Object(key) as Jwk) : []
  const kids = jwks.map(({ kid }) => String(kid)).join()
  for (const value of jwks.flatMap(({ n, d, x, y, k }) => [n, d, x, y, k])) {
    if (typeof value !== 'string' || value.length < 24 || kids.includes(value)) continue
    assert.equal(message.includes(value), false, message)
  }
}

/** The key of exactly one member of the document, which is a public key for this algorithm alone. */
function assertKey(document: unknown, { kid, publicKey, algorithm }: VerificationKey): void {
  const all = (document as { keys: Jwk[] }).keys
  assert.ok(!all.some((one) => 'd' in one || 'k' in one), 'a set with a secret')
  assert.equal(publicKey.type, 'public')
  const exported = publicKey.export({ format: 'jwk' })
  const isIt = ({ kid: id, kty, use = 'sig', alg = algorithm.alg, ...members }: Jwk): boolean =>
    !(Array.isArray(members.key_ops) && !members.key_ops.includes('verify')) &&
    [id, kty, use, alg].join() === [kid, algorithm.kty, 'sig', algorithm.alg].join() &&
    algorithm.members.every(
      (name) => canonical(name, members[name]) === canonical(name, exported[name]),
    )
  assert.equal(all.filter(isIt).length, 1, `the key ${kid}`)
  if (algorithm.kty !== 'RSA') return
  assert.ok(Buffer.from(String(exported.n), 'base64url').length >= 256)
  assert.ok(Buffer.from(String(exported.e), 'base64url').readUIntBE(0, 3) >= 65_537)
}

/** A curve, or a number without the zeros before it. */
function canonical(name: string, member: unknown): unknown {
  if (name === 'crv') return member
  return Buffer.from(String(member), 'base64url').toString('hex').replace(/^0+/, '')
}

/** Headers with which the lifetime is more than max-age less the age. */
const OTHERS = ['expires', 'vary', 'pragma', 'date', 'last-modified']

/** The seconds that a simple Cache-Control states (RFC 9111 section 5.2.2); `null` for any other. */
function statedSeconds(headers: Readonly<Record<string, string>>): number | null {
  const { 'cache-control': cacheControl = '', age = '0' } = headers
  if (OTHERS.some((name) => name in headers) || !/^[0-9]{1,6}$/.test(age)) return null
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
  const seconds = directives.map((one) => /^max-age=([0-9]{1,6})$/.exec(one)?.[1])
  const isSimple = directives.every(
    (one, i) =>
      seconds[i] !== undefined || /^(?:public|private|must-revalidate|no-transform)$/.test(one),
  )
  const stated = seconds.filter((one) => one !== undefined)
  return isSimple && stated.length === 1 ? Number(stated[0]) - Number(age) : null
}
