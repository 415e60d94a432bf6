/** Whose token it is, by its claims, and what a kind of token must be. */
import t from 'tap'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import type { IdTokenClaims } from '../../src/token/claims.ts'
import { ada, login } from '../helpers/shop.ts'

const claims: IdTokenClaims = { iss: 'a', aud: 'b', sub: '1', iat: 1, exp: 2 }
const account = (email: string | undefined, subject: string) => ({ email, subject })

t.test('an ID token names an email only if Google has verified it', (t) => {
  const { accountOf } = GOOGLE_ID_TOKEN
  t.strictSame(accountOf({ ...claims, email: login, email_verified: true }), account(login, '1'))
  t.strictSame(
    accountOf({ ...claims, email: login, email_verified: false }),
    account(undefined, '1'),
  )
  t.strictSame(accountOf({ ...claims, email: login }), account(undefined, '1'))
  t.strictSame(accountOf(claims), account(undefined, '1'))
  t.end()
})

t.test('an assertion of IAP names an email only for a Google account', (t) => {
  const { accountOf } = IAP_ASSERTION
  const google = { ...claims, sub: 'accounts.google.com:1', email: ada }
  t.strictSame(accountOf(google), account(ada, '1'))
  t.strictSame(accountOf({ ...google, email_verified: true }), account(ada, '1'))
  t.strictSame(accountOf({ ...google, email_verified: false }), account(undefined, '1'))
  for (const sub of [
    'securetoken.google.com/shop:1',
    'xaccounts.google.com:1',
    'sts.google.com:1',
  ]) {
    t.strictSame(accountOf({ ...google, sub }), account(undefined, sub))
  }
  const gcip = { ...google, gcip: undefined }
  t.strictSame(accountOf(gcip), account(undefined, 'accounts.google.com:1'))
  t.end()
})

t.test('the sub of an assertion has a provider before the first colon', (t) => {
  const pattern = IAP_ASSERTION.subject?.pattern
  for (const sub of ['a:1', 'accounts.google.com:1', 'a:b:c', 'a:\n']) t.ok(pattern?.test(sub), sub)
  for (const sub of ['', '1', ':1', '::1', 'a:', ':a:1']) t.notOk(pattern?.test(sub), sub)
  t.equal(GOOGLE_ID_TOKEN.subject, null)
  t.end()
})

t.test('an assertion lasts ten minutes, with the tolerance on both sides', (t) => {
  t.equal(IAP_ASSERTION.clockTolerance, 30)
  t.equal(IAP_ASSERTION.maxTokenLifetime, 660)
  t.end()
})

t.test('Cloud Run takes the signature of ID tokens only', (t) => {
  t.strictSame(IAP_ASSERTION.presentation, {
    headers: ['x-goog-iap-jwt-assertion'],
    scheme: null,
    checkedByCloudRun: false,
  })
  t.strictSame(GOOGLE_ID_TOKEN.presentation, {
    headers: ['x-serverless-authorization', 'authorization'],
    scheme: 'Bearer',
    checkedByCloudRun: true,
  })
  t.end()
})
