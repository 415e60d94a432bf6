/** What a refusal of a verified caller says, for the log. */
import t from 'tap'
import { refusedAccount } from '../../src/errors/id-token-error.ts'
import { parseAllowedCallers } from '../../src/policy/allowed-callers.ts'
import { callerRefusal } from '../../src/policy/caller-refusal.ts'
import type { Caller } from '../../src/policy/caller.ts'
import { audience, login, signup } from '../helpers/shop.ts'

const subject = '108612345678901234567'
const allowed = parseAllowedCallers('allowedCallers', [login])

const caller = (given: Partial<Caller>): Caller => ({
  email: signup,
  subject,
  audience,
  issuer: 'https://accounts.google.com',
  issuedAt: 0,
  expiresAt: 3600,
  signatureVerified: true,
  header: 'authorization',
  source: 'id-token',
  claims: { iss: 'https://accounts.google.com', aud: audience, sub: subject, iat: 0, exp: 3600 },
  ...given,
})

t.test('it names the caller, and the list', (t) => {
  t.equal(callerRefusal(caller({ email: login }), allowed), null)
  const error = callerRefusal(caller({}), allowed)
  t.equal(error?.code, 'ID_TOKEN_CALLER_NOT_ALLOWED')
  t.match(error?.detail, { expected: [login], found: `${signup} (unique id ${subject})` })
  t.strictSame(error && refusedAccount(error), { email: signup, subject })
  t.end()
})

t.test('without an email it names the unique id', (t) => {
  const error = callerRefusal(caller({ email: undefined }), allowed)
  t.equal(error?.code, 'ID_TOKEN_CALLER_UNIDENTIFIED')
  t.equal(error?.detail.found, subject)
  t.strictSame(error && refusedAccount(error), { email: undefined, subject })
  t.end()
})

t.test('without a signature it says so, and vouches for no account', (t) => {
  const error = callerRefusal(caller({ signatureVerified: false }), allowed)
  t.equal(error?.detail.found, `by a token without its signature: ${signup} (unique id ${subject})`)
  t.equal(error && refusedAccount(error), null)
  t.end()
})
