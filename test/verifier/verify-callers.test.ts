import t from 'tap'
import { createVerifier, IdTokenError, type VerifierOptions } from '../../src/index.ts'
import { runProcess } from '../helpers/run-process.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const stranger = 'anyone@of-another-customer.iam.gserviceaccount.com'

const tokenOf = (email: string, more: object = {}) => issuer.idToken({ email, audience, ...more })
const verifierWith = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({ audience, jwks: issuer.jwks, ...options })

t.test('verify and verifySync let in the callers of the list only', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const good = await tokenOf(login)
  const strange = await tokenOf(stranger)
  t.equal((await verifier.verify(good)).email, login)
  t.equal(verifier.verifySync(good).email, login)
  const refused = { name: 'IdTokenError', code: 'ID_TOKEN_CALLER_NOT_ALLOWED', statusCode: 403 }
  await t.rejects(verifier.verify(strange), refused)
  t.throws(() => verifier.verifySync(strange), refused)
})

t.test('the list of a policy takes the place of the default one', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const policy = { allowedCallers: [stranger] }
  t.equal((await verifier.verify(await tokenOf(stranger), policy)).email, stranger)
  t.equal(verifier.verifySync(await tokenOf(stranger), policy).email, stranger)
  const refused = { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' }
  await t.rejects(verifier.verify(await tokenOf(login), policy), refused)
  const elsewhere = { audience: 'https://search-abc123-uc.a.run.app' }
  await t.rejects(verifier.verify(await tokenOf(login), elsewhere), {
    code: 'ID_TOKEN_AUDIENCE_MISMATCH',
  })
  t.equal(verifier.verifySync(await tokenOf(login, elsewhere), elsewhere).email, login)
})

t.test('without any list there is nobody whom verify could let in', async (t) => {
  const verifier = verifierWith()
  const good = await tokenOf(login)
  const missing = { name: 'TypeError', message: /allowedCallers is missing/ }
  await t.rejects(verifier.verify(good), missing)
  t.throws(() => verifier.verifySync(good), missing)
  await t.rejects(verifier.verify(good, { allowedCallers: [] }), TypeError)
})

t.test('an optional policy still needs a token to verify', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const none = undefined as unknown as string
  await t.rejects(verifier.verify(none, { optional: true }), { code: 'ID_TOKEN_MALFORMED' })
})

t.test('verifyAnyCaller says in its name whom it lets in', async (t) => {
  const verifier = verifierWith({ allowedCallers: [login] })
  const strange = await tokenOf(stranger)
  t.equal((await verifier.verifyAnyCaller(strange)).email, stranger)
  t.equal(verifier.verifyAnyCallerSync(strange).email, stranger)
  await t.rejects(verifier.verifyAnyCaller(`${strange}A`), IdTokenError)
})

t.test('the list is checked too if the keys had to be fetched first', async (t) => {
  const { jwks } = issuer
  const verifier = createVerifier({
    audience,
    allowedCallers: [login],
    fetch: () => Promise.resolve(Response.json(jwks)),
  })
  t.teardown(verifier.close)
  await t.rejects(verifier.verify(await tokenOf(stranger)), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })
})

t.test('frozen errors change no outcome', async (t) => {
  for (const flags of [[], ['--frozen-intrinsics']]) {
    const { stdout, stderr, exitCode } = await runProcess('frozen-error', [], 20_000, flags)
    t.equal(stdout, '200\n403\n401\n401\nID_TOKEN_MALFORMED\n', stderr)
    t.equal(exitCode, 0)
  }
})
