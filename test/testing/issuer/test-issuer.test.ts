import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { createVerifier } from '../../../src/index.ts'
import { createTestIssuer } from '../../../src/testing.ts'
import { audience, login as email } from '../../helpers/shop.ts'

const NOW = 1_795_000_000
const clock = (): Date => new Date(NOW * 1000)

t.test(
  'a token has the claims of a Google token, and verifies with the published keys',
  async (t) => {
    const issuer = await createTestIssuer()
    const before = Math.floor(Date.now() / 1000)
    const token = await issuer.idToken({ email, audience })
    const after = Date.now() / 1000
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createLocalJWKSet({ ...issuer.jwks, keys: [...issuer.jwks.keys] }),
      {
        issuer: 'https://accounts.google.com',
        audience,
        algorithms: ['RS256'],
      },
    )
    t.strictSame(Object.keys(payload).sort(), [
      'aud',
      'azp',
      'email',
      'email_verified',
      'exp',
      'iat',
      'iss',
      'sub',
    ])
    t.match(payload, { email, email_verified: true, sub: /^1\d{20}$/, azp: payload.sub })
    t.equal(Number(payload.exp) - Number(payload.iat), 3600)
    t.ok(Number(payload.iat) >= before && Number(payload.iat) <= after, 'the time when it was made')
    t.strictSame(protectedHeader, { alg: 'RS256', kid: issuer.key.kid, typ: 'JWT' })
    t.match(issuer.key.kid, /^test-[0-9a-f]{40}$/)
    t.strictSame(Object.keys(issuer.jwks.keys[0] ?? {}).sort(), [
      'alg',
      'e',
      'kid',
      'kty',
      'n',
      'use',
    ])
  },
)

t.test('what is left out is as the metadata server leaves it out', async (t) => {
  const issuer = await createTestIssuer({ clock, issuer: 'accounts.google.com' })
  t.equal(issuer.issuer, 'accounts.google.com')
  const claims = decodeJwt(await issuer.idToken({ audience }))
  t.strictSame(Object.keys(claims).sort(), ['aud', 'azp', 'exp', 'iat', 'iss', 'sub'])
  t.match(claims, { iss: 'accounts.google.com', iat: NOW, exp: NOW + 3600 })
  const subject = '112233445566778899001'
  t.match(decodeJwt(await issuer.idToken({ audience, subject })), { sub: subject, azp: subject })
  const [one, same, other] = await Promise.all(
    [email, email, `x${email}`].map(
      async (email) => decodeJwt(await issuer.idToken({ email, audience })).sub,
    ),
  )
  t.equal(one, same, 'one account has one unique id')
  t.not(one, other)
})

t.test('every bad token can be made', async (t) => {
  const issuer = await createTestIssuer({ clock })
  const other = await createTestIssuer()
  const refusal = async (token: Parameters<typeof issuer.idToken>[0]): Promise<unknown> => {
    const verifier = createVerifier({ audience, jwks: issuer.jwks, clock })
    const error: unknown = await verifier
      .verifyAnyCaller(await issuer.idToken(token))
      .catch((e: unknown) => e)
    return (error as { code: unknown }).code
  }
  t.equal(await refusal({ audience, expiresIn: -100 }), 'ID_TOKEN_EXPIRED')
  t.equal(await refusal({ audience, expiresIn: 90_000 }), 'ID_TOKEN_LIFETIME_TOO_LONG')
  t.equal(await refusal({ audience: 'https://other.run.app' }), 'ID_TOKEN_AUDIENCE_MISMATCH')
  t.equal(await refusal({ audience, claims: { iss: 'x' } }), 'ID_TOKEN_ISSUER_MISMATCH')
  t.equal(await refusal({ audience, claims: { sub: undefined } }), 'ID_TOKEN_MALFORMED')
  t.equal(await refusal({ audience, header: { alg: 'none' } }), 'ID_TOKEN_ALGORITHM_NOT_ALLOWED')
  t.equal(await refusal({ audience, header: { alg: 'HS256' } }), 'ID_TOKEN_ALGORITHM_NOT_ALLOWED')
  t.equal(await refusal({ audience, header: { kid: undefined } }), 'ID_TOKEN_KEY_UNKNOWN')
  t.equal(await refusal({ audience, key: other.key }), 'ID_TOKEN_SIGNATURE_INVALID')
  t.match(decodeJwt(await issuer.idToken({ audience, expiresIn: -100 })), {
    exp: NOW - 100,
    iat: NOW - 3700,
  })
  t.match(await issuer.idToken({ audience, header: { alg: 'none' } }), /^[\w-]+\.[\w-]+\.$/)
})

t.test('keys rotate as Google rotates them, or at once', async (t) => {
  const issuer = await createTestIssuer()
  const { key, jwks } = issuer
  await issuer.rotateKeys()
  t.not(issuer.jwks, jwks)
  t.strictSame(
    issuer.jwks.keys.map(({ kid }) => kid),
    [issuer.key.kid, key.kid],
  )
  t.equal(decodeProtectedHeader(await issuer.idToken({ audience })).kid, issuer.key.kid)
  await issuer.rotateKeys({ keepOld: false })
  t.strictSame(
    issuer.jwks.keys.map(({ kid }) => kid),
    [issuer.key.kid],
  )
})

t.test(
  'an issuer can begin with a key of its user, so that tokens are the same every time',
  async (t) => {
    const { key } = await createTestIssuer()
    const tokens = await Promise.all(
      [1, 2].map(async () => (await createTestIssuer({ key, clock })).idToken({ email, audience })),
    )
    t.equal(tokens[0], tokens[1])
  },
)
