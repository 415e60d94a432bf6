import t from 'tap'
import { createVerifier, type IdTokenErrorCode } from '../../src/index.ts'
import { createTestIssuer, type TestIdToken } from '../../src/testing.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer, otherIssuer as other, testKey } from '../helpers/issuer.ts'

interface Row {
  readonly what: string
  readonly token: Partial<TestIdToken>
  readonly stripped?: true
  readonly signer?: typeof issuer
  readonly code: IdTokenErrorCode
  readonly remedy: RegExp
}

const rows: readonly Row[] = [
  {
    what: "a person's gcloud token",
    token: { audience: '32555940559.apps.googleusercontent.com', email: 'ada@example.com' },
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
    remedy: /gcloud login.*--impersonate-service-account=.*--audiences=.*--include-email/,
  },
  {
    what: "another service's token",
    token: { audience: 'https://search-abc123-uc.a.run.app' },
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
    remedy: /^the caller must ask for a token with the audience of this service/,
  },
  {
    what: "IAP's own token",
    token: { email: 'service-1234567890@gcp-sa-iap.iam.gserviceaccount.com' },
    stripped: true,
    code: 'ID_TOKEN_SIGNATURE_REMOVED',
    remedy: /Identity-Aware Proxy \(IAP\).*X-Goog-IAP-JWT-Assertion/,
  },
  {
    what: 'a stripped token of anybody else',
    token: {},
    stripped: true,
    code: 'ID_TOKEN_SIGNATURE_REMOVED',
    remedy: /^either let the caller send the same token in both headers/,
  },
  {
    what: 'a stripped token without an email',
    token: { email: undefined },
    stripped: true,
    code: 'ID_TOKEN_SIGNATURE_REMOVED',
    remedy: /^either let the caller send the same token in both headers/,
  },
  {
    what: 'an agent identity, by keys that are given',
    token: { claims: { iss: 'https://sts.googleapis.com/v1/organizations/12/locations/global' } },
    code: 'ID_TOKEN_ISSUER_MISMATCH',
    remedy: /agent identity/,
  },
  {
    what: 'an agent identity, signed by its issuer',
    token: { claims: { iss: 'https://sts.googleapis.com/v1/organizations/12/locations/global' } },
    signer: other,
    code: 'ID_TOKEN_KEY_UNKNOWN',
    remedy: /agent identity/,
  },
  {
    what: 'a Firebase user',
    token: { claims: { iss: 'https://securetoken.google.com/shop-prod' } },
    signer: other,
    code: 'ID_TOKEN_KEY_UNKNOWN',
    remedy: /Firebase/,
  },
  {
    what: "IAP's assertion",
    token: { claims: { iss: 'https://cloud.google.com/iap' }, header: { alg: 'ES256' } },
    code: 'ID_TOKEN_ALGORITHM_NOT_ALLOWED',
    remedy: /assertion of Identity-Aware Proxy/,
  },
  {
    what: 'a person who is not in the list',
    token: { email: 'ada@example.com' },
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
    remedy: /^add the caller to allowedCallers .* it is a person, .* as an object: \{ email \}$/,
  },
  {
    what: 'a service account that is not in the list',
    token: { email: 'other@shop-prod.iam.gserviceaccount.com' },
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
    remedy: /^add the caller to allowedCallers .* made again has another unique id$/,
  },
  {
    what: 'another test issuer',
    token: {},
    signer: other,
    code: 'ID_TOKEN_KEY_UNKNOWN',
    remedy: /createTestIssuer/,
  },
]

const options = { audience, allowedCallers: [login] }

t.test('common mistakes are recognised, and the remedy names them', async (t) => {
  const verifier = createVerifier({ ...options, jwks: issuer.jwks })
  for (const { what, token, stripped, signer = issuer, code, remedy } of rows) {
    const signed = await signer.idToken({ email: login, audience, ...token })
    const sent = stripped ? signed.replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE') : signed
    const { code: found, checks } = await verifier.explain(sent)
    t.equal(found, code, what)
    t.match(checks.find(({ result }) => result === 'fail')?.remedy, remedy, what)
  }
})

t.test('keys that are fetched are not those of a test issuer', async (t) => {
  const fetchKeys = (): Promise<Response> => Promise.resolve(Response.json(issuer.jwks))
  const verifier = createVerifier({ ...options, fetch: fetchKeys })
  t.teardown(verifier.close)
  const { checks } = await verifier.explain(await other.idToken({ email: login, audience }))
  t.match(
    checks.find(({ result }) => result === 'fail'),
    {
      code: 'ID_TOKEN_KEY_UNKNOWN',
      remedy: /^the token is not signed by this issuer/,
    },
  )
})

t.test('times are written in words', async (t) => {
  const now = new Date('2026-03-02T12:00:00Z')
  const clock = () => now
  const timed = await createTestIssuer({ key: testKey, clock })
  const verifier = createVerifier({ ...options, jwks: timed.jwks, clock })
  const seconds = now.getTime() / 1000
  const failed = async (token: Partial<TestIdToken>) => {
    const { checks } = await verifier.explain(
      await timed.idToken({ email: login, audience, ...token }),
    )
    return checks.find(({ result }) => result === 'fail')
  }
  t.match(await failed({ expiresIn: -7_500 }), {
    code: 'ID_TOKEN_EXPIRED',
    expected: 'exp at most 1 minute ago',
    found: `exp ${seconds - 7_500}, 2 hours 5 minutes ago`,
  })
  t.match(await failed({ claims: { iat: seconds + 90_061 } }), {
    code: 'ID_TOKEN_NOT_YET_VALID',
    expected: 'iat at most 1 minute from now',
    found: `iat ${seconds + 90_061}, 1 day 1 hour from now`,
  })
  t.match(await failed({ claims: { nbf: seconds + 61 } }), {
    found: `nbf ${seconds + 61}, 1 minute 1 second from now`,
  })
  t.match(await failed({ expiresIn: 2 * 86_400 }), {
    code: 'ID_TOKEN_LIFETIME_TOO_LONG',
    expected: 'exp - iat at most 86400 (1 day)',
    found: '172800 (2 days)',
  })
  t.match(await failed({ claims: { exp: seconds - 60 } }), {
    found: `exp ${seconds - 60}, 1 minute ago`,
  })
})

t.test('the realm of the challenge is an option', async (t) => {
  const request = { headers: {} }
  const challenge = async (realm: string | undefined) => {
    const verifier = createVerifier({ ...options, jwks: issuer.jwks, realm })
    const error = (await verifier.authenticate(request).catch((refused: unknown) => refused)) as {
      headers: Record<string, string>
    }
    return error.headers['www-authenticate']
  }
  t.equal(await challenge(undefined), 'Bearer realm="fastify-google-id-token"')
  t.equal(await challenge('user profiles'), 'Bearer realm="user profiles"')
  for (const realm of [
    '',
    'a"b',
    'a\\b',
    'a\r\nb',
    'ü',
    'a'.repeat(129),
    7 as never,
    null as never,
  ]) {
    t.throws(() => createVerifier({ ...options, jwks: issuer.jwks, realm }), {
      message: /^Option realm is .*; accepted: a string of 1 to 128 ASCII characters/,
    })
  }
})
