/** What a refusal says to the log, and whom it names, check by check. */
import t, { type Test } from 'tap'
import { IdTokenError, refusedAccount } from '../../src/errors/id-token-error.ts'
import { MARKER } from '../../src/request/removed-signature.ts'
import { createVerifier, type RequestLike, type Verifier } from '../../src/verifier.ts'
import { silent } from '../helpers/captured-log.ts'
import { issuer } from '../helpers/issuer.ts'
import { audience, login } from '../helpers/shop.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks, logger: silent }
const kids = issuer.jwks.keys.map(({ kid }) => kid)
const signed = (given: object = {}): Promise<string> =>
  issuer.idToken({ email: login, subject: '1', audience, ...given })

async function refusalOf(verify: () => unknown): Promise<IdTokenError> {
  try {
    await verify()
  } catch (error) {
    if (error instanceof IdTokenError) return error
    throw error
  }
  throw new Error('it was accepted')
}

t.test('a wrong signature names its key, and a missing key those that are there', async (t) => {
  const { verify } = createVerifier(options)
  const token = await signed()
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(342)}`
  const wrong = await refusalOf(() => verify(forged))
  t.equal(wrong.code, 'ID_TOKEN_SIGNATURE_INVALID')
  t.equal(wrong.detail.found, `kid ${issuer.key.kid}`)
  t.equal(refusedAccount(wrong), null)
  for (const [kid, found] of [
    ['other', 'other'],
    ['', 'no kid'],
    [undefined, 'no kid'],
  ] as const) {
    const missing = await refusalOf(async () => verify(await signed({ header: { kid } })))
    t.equal(missing.code, 'ID_TOKEN_KEY_UNKNOWN')
    t.strictSame([missing.detail.expected, missing.detail.found], [kids, found])
  }
})

t.test('a claim that is wrong names the caller, at the first use and at each other', async (t) => {
  let now = Date.now()
  const { verify } = createVerifier({ ...options, clock: () => new Date(now) })
  const token = await signed({ expiresIn: 600 })
  const expired = async (given: string) => {
    const error = await refusalOf(() => verify(given))
    t.equal(error.code, 'ID_TOKEN_EXPIRED')
    t.equal(error.detail.caller, login)
    t.strictSame(refusedAccount(error), { email: login, subject: '1' })
  }
  const first = await verify(token)
  t.equal(first.signatureVerified, true)
  const other = { audience: [audience, `${audience}/`], allowedCallers: [login] }
  const again = await verify(token)
  t.equal(again.signatureVerified, true)
  const elsewhere = await verify(token, { ...other, audience: `${audience}/` })
  t.strictSame([elsewhere.audience, elsewhere.signatureVerified], [`${audience}/`, true])
  now += 700_000
  await expired(token)
  await expired(await signed({ expiresIn: -100 }))
  const nameless = await refusalOf(async () =>
    verify(await signed({ email: undefined, claims: { email: undefined }, expiresIn: -100 })),
  )
  t.equal(nameless.detail.caller, '1')
})

/** A verifier that trusts what Cloud Run has checked. */
function trusting(t: Test): Verifier {
  const { K_SERVICE: before } = process.env
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => {
    if (before === undefined) delete process.env.K_SERVICE
    else process.env.K_SERVICE = before
  })
  return createVerifier({ ...options, trustRemovedSignature: true })
}

const withoutSignature = async (given: object = {}): Promise<string> => {
  const token = await signed(given)
  return token.slice(0, token.lastIndexOf('.')) + MARKER
}

t.test('over HTTP/2 only the header that Cloud Run checks is trusted', async (t) => {
  const { authenticate } = trusting(t)
  const authorization = `Bearer ${await withoutSignature()}`
  const request = (header: string, httpVersionMajor?: number | null): RequestLike => ({
    headers: { [header]: authorization },
    httpVersionMajor,
  })
  for (const version of [1, 2, null, undefined]) {
    const caller = await authenticate(request('x-serverless-authorization', version))
    t.strictSame([caller?.email, caller?.signatureVerified], [login, false])
  }
  for (const version of [1, null, undefined]) {
    const caller = await authenticate(request('authorization', version))
    t.strictSame([caller?.email, caller?.header], [login, 'authorization'])
  }
  const error = await refusalOf(() => authenticate(request('authorization', 2)))
  t.equal(error.code, 'ID_TOKEN_SIGNATURE_REMOVED')
})

t.test('without a signature every claim is validated, and no caller is named', async (t) => {
  const { authenticate } = trusting(t)
  const request = async (given: object) => ({
    headers: { 'x-serverless-authorization': `Bearer ${await withoutSignature(given)}` },
  })
  for (const [given, code] of [
    [{ audience: 'other' }, 'ID_TOKEN_AUDIENCE_MISMATCH'],
    [{ expiresIn: -100 }, 'ID_TOKEN_EXPIRED'],
    [{ claims: { iat: '1' } }, 'ID_TOKEN_MALFORMED'],
    [{ email: 'other@shop-prod.iam.gserviceaccount.com' }, 'ID_TOKEN_CALLER_NOT_ALLOWED'],
  ] as const) {
    const error = await refusalOf(async () => authenticate(await request(given)))
    t.equal(error.code, code)
    t.equal(error.detail.caller, undefined)
    t.equal(refusedAccount(error), null)
  }
})

t.test('a method that lacks a list names it, and a request in raw is explained', async (t) => {
  const { authenticate, explain, verify } = createVerifier({
    ...options,
    allowedCallers: undefined,
  })
  for (const call of [() => authenticate({ headers: {} }), async () => verify(await signed())]) {
    await t.rejects(call(), { message: /^Option policy\.allowedCallers is missing; / })
  }
  const raw = { headers: { authorization: `Bearer ${await signed()}` } }
  t.match(await explain({ raw }), { accepted: true, caller: { email: login } })
})
