/** Assertions of Identity-Aware Proxy that a test issuer signs. */
import { createPublicKey, verify } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import { testKey } from '../../helpers/issuer.ts'
import { createVerifier } from '../../../src/index.ts'
import {
  createTestIssuer,
  startGoogleEmulator,
  type TestIapAssertion,
} from '../../../src/testing.ts'

const audience = '/projects/739419398126/global/backendServices/8410938401923844'
const email = 'dana@example.com'
const NOW = 1_795_000_000
const clock = (): Date => new Date(NOW * 1000)

t.test('an assertion is as IAP makes it, and verifies with the published keys', async (t) => {
  const issuer = await createTestIssuer({ key: testKey, clock })
  const { payload, protectedHeader } = await jwtVerify(
    await issuer.iapAssertion({ email, audience }),
    createLocalJWKSet(issuer.iapJwks as JSONWebKeySet),
    {
      issuer: 'https://cloud.google.com/iap',
      audience,
      algorithms: ['ES256'],
      currentDate: clock(),
    },
  )
  t.match(payload, { email, iat: NOW, exp: NOW + 600, sub: /^accounts\.google\.com:1\d{20}$/ })
  const [key, ...others] = issuer.iapJwks.keys
  t.strictSame(others, [])
  t.strictSame(Object.keys(key ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  t.match(key, { kid: /^test-[0-9a-f]{40}$/, kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
  t.strictSame(protectedHeader, { alg: 'ES256', kid: key?.kid, typ: 'JWT' })
  const sameAccount = decodeJwt(await issuer.idToken({ email, audience }))
  t.equal(payload.sub, `accounts.google.com:${String(sameAccount.sub)}`, 'one account, one id')
})

t.test('every claim and every member of the header can be another', async (t) => {
  const issuer = await createTestIssuer({ key: testKey, clock })
  const other = await createTestIssuer()
  const subject = '112233445566778899001'
  const claimsOf = async (special: Partial<TestIapAssertion>) =>
    decodeJwt(await issuer.iapAssertion({ audience, ...special }))
  t.match(await claimsOf({ subject }), { sub: `accounts.google.com:${subject}` })
  t.notOk('email' in (await claimsOf({ subject })))
  t.match(await claimsOf({ expiresIn: 60 }), { iat: NOW, exp: NOW + 60 })
  t.match(await claimsOf({ expiresIn: -60 }), { iat: NOW - 660, exp: NOW - 60 })
  t.match(await claimsOf({ claims: { sub: 'x:1', gcip: {}, aud: undefined } }), { sub: 'x:1' })
  t.notOk('aud' in (await claimsOf({ claims: { aud: undefined } })))
  t.match(await issuer.iapAssertion({ audience, header: { alg: 'none' } }), /^[^.]+\.[^.]+\.$/)
  const { privateKey } = await crypto.subtle
    .generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
    .then((pair) => pair)
  const key = await crypto.subtle.exportKey('jwk', privateKey)
  const forged = await issuer.iapAssertion({ audience, email, key: key })
  const keys = [issuer, other].map(({ iapJwks }) => createLocalJWKSet(iapJwks as JSONWebKeySet))
  for (const published of keys) await t.rejects(jwtVerify(forged, published))
})

t.test('after a rotation the old key stays, or does not', async (t) => {
  const issuer = await createTestIssuer({ key: testKey })
  const service = 'https://user-profiles-abc123-uc.a.run.app'
  const before = await issuer.iapAssertion({ email, audience })
  const accepts = (assertion: string): Promise<boolean> => {
    const { jwks, iapJwks } = issuer
    const iap = { audience, jwks: iapJwks }
    const verifier = createVerifier({ audience: service, jwks, iap, allowedCallers: [{ email }] })
    const headers = { 'x-goog-iap-jwt-assertion': assertion }
    return verifier.authenticate({ headers }).then(
      () => true,
      () => false,
    )
  }
  await issuer.rotateKeys()
  t.equal(issuer.iapJwks.keys.length, 2)
  t.ok(await accepts(before))
  t.ok(await accepts(await issuer.iapAssertion({ email, audience })))
  await issuer.rotateKeys({ keepOld: false })
  t.equal(issuer.iapJwks.keys.length, 1)
  t.notOk(await accepts(before))
})

t.test('a wrong option is named', async (t) => {
  const issuer = await createTestIssuer({ key: testKey })
  const { key } = issuer
  for (const [assertion, message] of [
    [undefined, /^Option options is missing/],
    [{ email }, /^Option audience is missing/],
    [{ audience, mail: email }, /^Option mail is .*Did you mean email\?/],
    [{ audience, email: '' }, /^Option email is ''/],
    [{ audience, subject: 7 }, /^Option subject is 7/],
    [{ audience, expiresIn: '60' }, /^Option expiresIn is '60'/],
    [
      { audience, key },
      /^Option key is no EC key; accepted: a private EC key as JWK, with crv, x, y/,
    ],
  ] as const) {
    await t.rejects(
      issuer.iapAssertion(assertion as TestIapAssertion),
      { code: 'ID_TOKEN_OPTION_INVALID', message },
      message.source,
    )
  }
})

t.test('the emulator publishes the keys as www.gstatic.com does, and may fail', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  t.equal(google.iapJwksUri, `${google.url}/iap/verify/public_key-jwk`)
  const assertion = await google.iapAssertion({ email, audience })
  const response = await fetch(google.iapJwksUri)
  t.match(response.headers.get('cache-control'), /max-age=\d+/)
  const jwks = (await response.json()) as JSONWebKeySet
  await t.resolves(jwtVerify(assertion, createLocalJWKSet(jwks)))
  const pems = (await (await fetch(`${google.url}/iap/verify/public_key`)).json()) as object
  const [[kid, pem] = []] = Object.entries(pems) as [string, string][]
  t.equal(kid, jwks.keys[0]?.kid)
  const [, signed = '', signature = ''] = /^(.*)\.([^.]*)$/.exec(assertion) ?? []
  const publicKey = { key: createPublicKey(pem ?? ''), dsaEncoding: 'ieee-p1363' } as const
  t.ok(verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'base64url')))
  const lift = google.fault('iapCerts', { status: 503 })
  t.equal((await fetch(google.iapJwksUri)).status, 503)
  t.equal((await fetch(google.jwksUri)).status, 200, 'the other keys are none of it')
  lift()
  t.equal((await fetch(google.iapJwksUri)).status, 200)
  t.match(google.requests.at(-1), { endpoint: 'iapCerts' })
})
