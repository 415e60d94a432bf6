import { createHash } from 'node:crypto'
import t from 'tap'
import type { Keys, VerificationKey } from '../../src/keys/key-set.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'
import { RecentTokens } from '../../src/cache/recent-tokens.ts'
import { VerifiedTokenCache } from '../../src/cache/verified-token-cache.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer, requestWith, signed, time, verifierWith } from '../helpers/timed-verifier.ts'

t.beforeEach(time.reset)

/** The keys of the issuer, imported anew each time. */
function keysNow(): Keys {
  const { keys } = parseVerifierOptions({ audience, jwks: issuer.jwks })
  if (typeof keys === 'string') throw new Error('not static')
  return keys
}

function firstOf(keys: Keys): VerificationKey {
  const [key] = keys.values()
  if (key === undefined) throw new Error('no key')
  return key
}

t.test('a verified token is remembered from its second use, a refused one never', async (t) => {
  const verifier = verifierWith()
  const token = await signed()
  await verifier.verifyAnyCaller(token)
  t.equal(verifier.stats().tokenCache.size, 0)
  const second = await verifier.verifyAnyCaller(token)
  t.equal(verifier.stats().tokenCache.size, 1)
  t.equal(await verifier.verifyAnyCaller(token), second, 'the same caller, not another like it')
  t.equal(verifier.verifyAnyCallerSync(token), second)
  const refused = [
    `${token.slice(0, -8)}AAAAAAAA`,
    await signed({ audience: 'other' }),
    await signed({ expiresIn: -100 }),
    'garbage',
  ]
  for (const one of [...refused, ...refused]) await t.rejects(verifier.verifyAnyCaller(one))
  t.equal(verifier.stats().tokenCache.size, 1)
})

t.test('a remembered token must be the same to its last character', async (t) => {
  const verifier = verifierWith()
  const token = await signed()
  for (let use = 1; use <= 3; use += 1) verifier.verifyAnyCallerSync(token)
  for (const other of [`${token}=`, `${token} `, ` ${token}`, token.slice(0, -1), `${token}.`]) {
    t.throws(() => verifier.verifyAnyCallerSync(other), { code: 'ID_TOKEN_MALFORMED' })
  }
})

t.test('the signature of a remembered token makes no other token known', async (t) => {
  const [token, other] = await Promise.all([signed(), signed({ email: 'other@example.com' })])
  const [head, payload, signature] = token.split('.') as [string, string, string]
  const [, otherPayload] = other.split('.') as [string, string]
  const verifier = verifierWith()
  for (let use = 1; use <= 3; use += 1) verifier.verifyAnyCallerSync(token)
  t.throws(() => verifier.verifyAnyCallerSync(`${head}.${otherPayload}.${signature}`), {
    code: 'ID_TOKEN_SIGNATURE_INVALID',
  })
  const keys = keysNow()
  const key = firstOf(keys)
  const cache = new VerifiedTokenCache<string>(10)
  for (let use = 1; use <= 2; use += 1) cache.set(token, { key, content: 'login' })
  t.strictSame(
    cache.get(token, keys),
    { key, content: 'login', signingInput: `${head}.${payload}` },
    'the signature is not kept',
  )
  for (const one of [
    `${head}.${otherPayload}.${signature}`,
    `${head}.${payload}x.${signature}`,
    `${head}.${payload}..${signature}`,
    `${head}${payload}.${signature}`,
    `${head}.${signature}`,
    `.${signature}`,
    signature,
  ]) {
    t.equal(cache.get(one, keys), undefined, one.slice(0, 80))
  }
})

t.test('claims are validated again at each use', async (t) => {
  const verifier = verifierWith()
  const token = await signed()
  t.ok(verifier.verifyAnyCallerSync(token))
  t.equal(verifier.verifyAnyCallerSync(token), verifier.verifyAnyCallerSync(token))
  time.pass(3659)
  t.ok(verifier.verifyAnyCallerSync(token))
  time.pass(1)
  t.throws(() => verifier.verifyAnyCallerSync(token), {
    code: 'ID_TOKEN_EXPIRED',
    detail: { caller: login },
  })
  time.pass(-3660 - 61)
  t.throws(() => verifier.verifyAnyCallerSync(token), { code: 'ID_TOKEN_NOT_YET_VALID' })
})

t.test('list and audience are those of each request', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const request = requestWith('authorization', `Bearer ${await signed()}`)
  t.equal((await verifier.authenticate(request))?.audience, audience)
  await t.rejects(verifier.authenticate(request, { allowedCallers: ['1'.repeat(21)] }), {
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
  })
  await t.rejects(verifier.authenticate(request, { audience: 'admin' }), {
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
  })
  const caller = await verifier.authenticate(request)
  const same = await verifier.authenticate(request, { audience: [audience, 'admin'] })
  t.equal(same, caller, 'the same caller, where another list has the same audience')
  const slash = await verifier.authenticate(request, { audience: `${audience}/` })
  t.equal(slash?.audience, `${audience}/`, 'the audience that this route is configured with')
  t.equal((await verifier.authenticate(request))?.audience, audience)
})

t.test('the caller says in which header its token was', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const value = `Bearer ${await signed()}`
  for (const header of ['authorization', 'x-serverless-authorization', 'authorization']) {
    t.equal((await verifier.authenticate(requestWith(header, value)))?.header, header)
  }
})

t.test('a caller is deeply frozen, with a cache and without', async (t) => {
  const deep = { list: [{ inner: {} }], none: null }
  for (const tokenCache of [false, { max: 1 }] as const) {
    const verifier = verifierWith({ tokenCache })
    const token = await signed({ claims: { deep } })
    for (const caller of [
      verifier.verifyAnyCallerSync(token),
      verifier.verifyAnyCallerSync(token),
    ]) {
      const { list } = caller.claims.deep as typeof deep
      for (const value of [
        caller,
        caller.claims,
        caller.claims.deep,
        list,
        list[0],
        list[0]?.inner,
      ]) {
        t.ok(Object.isFrozen(value))
      }
      t.throws(() => {
        ;(caller as { email: string }).email = 'eve@example.com'
      }, TypeError)
    }
  }
})

t.test('claims are frozen however deep they nest', async (t) => {
  const depth = 2000
  const token = await signed({
    claims: { deep: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown },
  })
  let value = verifierWith().verifyAnyCallerSync(token).claims.deep
  for (; Array.isArray(value) && value.length > 0; value = value[0] as unknown) {
    if (!Object.isFrozen(value)) t.fail('not frozen')
  }
  t.ok(Object.isFrozen(value))
})

t.test('the least recently used token gives way', async (t) => {
  const verifier = verifierWith({ tokenCache: { max: 2 } })
  const tokens = await Promise.all(['a', 'b', 'c'].map((jti) => signed({ claims: { jti } })))
  const [a = '', b = '', c = ''] = tokens
  const callerOf = (token: string) => {
    verifier.verifyAnyCallerSync(token)
    return verifier.verifyAnyCallerSync(token)
  }
  const callerOfA = callerOf(a)
  const callerOfB = callerOf(b)
  t.equal(verifier.verifyAnyCallerSync(a), callerOfA)
  callerOf(c)
  t.strictSame(verifier.stats().tokenCache, { size: 2, max: 2 })
  t.equal(verifier.verifyAnyCallerSync(a), callerOfA, 'kept')
  t.not(verifier.verifyAnyCallerSync(b), callerOfB, 'verified anew')
})

t.test('tokens that come once do not drive out those that come again', async (t) => {
  const verifier = verifierWith({ tokenCache: { max: 2 } })
  const token = await signed()
  verifier.verifyAnyCallerSync(token)
  const caller = verifier.verifyAnyCallerSync(token)
  for (let jti = 0; jti < 20; jti += 1) {
    verifier.verifyAnyCallerSync(await signed({ claims: { jti: String(jti) } }))
    t.equal(verifier.verifyAnyCallerSync(token), caller)
  }
  t.equal(verifier.stats().tokenCache.size, 1)
})

t.test('the older half of recent tokens is forgotten, except those that come again', async (t) => {
  const recent = new RecentTokens(100)
  const tokenOf = (n: number): string => createHash('sha256').update(String(n)).digest('base64url')
  const tokens = (from: number): string[] =>
    Array.from({ length: 100 }, (_, n) => tokenOf(from + n))
  const known = (some: string[]): number => some.filter((token) => recent.has(token)).length
  const [first, second, third, never] = [tokens(0), tokens(100), tokens(200), tokens(300)]
  t.equal(known(first), 0)
  for (const token of first) recent.add(token)
  t.equal(known(first), 100)
  t.ok(known(never) < 10, 'it is rarely wrong')
  for (const token of second.slice(0, 50)) recent.add(token)
  const again = first.slice(0, 10)
  t.equal(known(again), 10)
  for (const token of third) recent.add(token)
  t.equal(known(again), 10, 'asked for in between')
  t.equal(known(third.slice(60)), 40)
  t.ok(known(first.slice(10)) < 20, 'forgotten')
  t.equal(recent.has('short'), false)
})

t.test('tokenCache: false remembers nothing', async (t) => {
  const verifier = verifierWith({ tokenCache: false })
  const token = await signed()
  t.not(verifier.verifyAnyCallerSync(token), verifier.verifyAnyCallerSync(token))
  t.strictSame(verifier.stats().tokenCache, { size: 0, max: 0 })
})

t.test('what was verified with a key that is gone is forgotten', async (t) => {
  const before = keysNow()
  const key = firstOf(before)
  const token = await signed()
  const cache = new VerifiedTokenCache<string>(10)
  for (let use = 1; use <= 2; use += 1) cache.set(token, { key, content: 'login' })
  t.equal(cache.get(token, before)?.content, 'login')
  // The same kid is not enough: keysNow imports the key anew, which makes it another.
  t.equal(cache.get(token, keysNow()), undefined)
  t.equal(cache.size, 0)
  for (let use = 1; use <= 2; use += 1) cache.set(token, { key, content: 'login' })
  t.equal(cache.get(token, new Map()), undefined)
  t.equal(cache.get(token, before), undefined, 'and stays so where the key comes back')
})
