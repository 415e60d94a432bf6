/** A kind of token is a row of the table: here is a third one, and nothing else is written for it. */
import t from 'tap'
import { assertion, CLAIMS } from '../../fixtures/assertions.ts'
import { NOW } from '../../fixtures/row-spec.ts'
import { iapJwks } from '../../fixtures/rows.ts'
import { ES256 } from '../../src/keys/signature-algorithms.ts'
import { parseJwks } from '../../src/keys/parse-jwks.ts'
import { staticKeySet } from '../../src/keys/static-key-set.ts'
import { parseAllowedCallers } from '../../src/policy/allowed-callers.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import type { TokenProfile } from '../../src/profiles/token-profile.ts'
import { verifyRequest } from '../../src/verifier/verify-request.ts'
import { TokenVerifier } from '../../src/verifier/verify-token.ts'

const PARTNER_TOKEN: TokenProfile = {
  ...GOOGLE_ID_TOKEN,
  presentation: { headers: ['x-partner-token'], scheme: 'Partner', checkedByCloudRun: false },
  algorithm: ES256,
  subject: { pattern: /^partner-/, described: 'partner- and a name' },
  issuers: ['https://partner.example'],
  clockTolerance: 5,
  maxTokenLifetime: 600,
  accountOf: ({ sub }) => ({ email: undefined, subject: sub.replace('partner-', '1') }),
}

const tokens = new TokenVerifier({
  profile: PARTNER_TOKEN,
  rules: PARTNER_TOKEN,
  keys: staticKeySet(parseJwks(iapJwks, ES256).keys),
  cache: null,
  now: () => Date.parse(NOW),
})
const verification = {
  kinds: [{ profile: PARTNER_TOKEN, tokens, audiences: parseAudiences('audience', 'orders') }],
  twinHeader: 'authorization',
  trustRemovedSignature: false,
}
const policy = {
  optional: false,
  reportOnly: false,
  allowedCallers: parseAllowedCallers('allowedCallers', ['112345678901234567890']),
  audiences: parseAudiences('audience', 'of-another-kind'),
}

function outcomeOf(claims: object, scheme = 'Partner') {
  const token = assertion({ claims: { ...CLAIMS, ...GOOD, ...claims } })
  return verifyRequest(
    verification,
    { headers: { 'x-partner-token': `${scheme} ${token}` } },
    policy,
  )
}

const GOOD = {
  iss: 'https://partner.example',
  aud: 'orders',
  sub: 'partner-12345678901234567890',
  email: undefined,
}

t.test('every member of the row counts', async (t) => {
  t.match(await outcomeOf({}), { subject: '112345678901234567890', header: 'x-partner-token' })
  const { exp, iat } = CLAIMS
  for (const [claims, code] of [
    [{ sub: 'somebody' }, 'ID_TOKEN_MALFORMED'],
    [{ iss: 'https://accounts.google.com' }, 'ID_TOKEN_ISSUER_MISMATCH'],
    [{ aud: 'of-another-kind' }, 'ID_TOKEN_AUDIENCE_MISMATCH'],
    [{ exp: iat - 5, iat: iat - 60 }, 'ID_TOKEN_EXPIRED'],
    [{ exp: exp + 6, iat: iat + 6 }, 'ID_TOKEN_NOT_YET_VALID'],
    [{ exp: exp + 1 }, 'ID_TOKEN_LIFETIME_TOO_LONG'],
    [{ sub: 'partner-22345678901234567890' }, 'ID_TOKEN_CALLER_UNIDENTIFIED'],
  ] as const) {
    t.match(await outcomeOf(claims), { code }, code)
  }
  t.match(await outcomeOf({}, 'Bearer'), { code: 'ID_TOKEN_SCHEME_UNSUPPORTED' })
  const inAuthorization = { headers: { authorization: `Partner ${assertion()}` } }
  t.match(verifyRequest(verification, inAuthorization, policy), { code: 'ID_TOKEN_MISSING' })
})
