/** The requests of the soak: a pool for each period of the key rotation. */
import { testOnlyKeys } from '../../fixtures/issuers.ts'
import { createTestIssuer, type TestIdToken } from '../../src/testing.ts'

export const AUDIENCE = 'https://search.run.app'
export const IAP_AUDIENCE = '/projects/123456789012/apps/shop-prod'
export const LISTED = 'login@shop-prod.iam.gserviceaccount.com'
export const PERSON = 'dana@example.com'
const STRANGER = 'mallory@evil-prod.iam.gserviceaccount.com'

const issuer = await createTestIssuer({ key: testOnlyKeys.testOnlyPublished })
const [idTokenKey = {}] = issuer.jwks.keys
const [assertionKey = {}] = issuer.iapJwks.keys
/** The public keys, which the endpoints publish under one `kid` after the other. */
export const PUBLIC_KEYS = { idTokens: idTokenKey, assertions: assertionKey }

/** A request, and whether it must be served. */
export interface SoakRequest {
  readonly kind: string
  readonly valid: boolean
  readonly of: keyof typeof PUBLIC_KEYS
  readonly kid: string
  readonly headers: Readonly<Record<string, string>>
}

type Pool = readonly (readonly [weight: number, requests: readonly SoakRequest[]])[]

/** Tokens that come once or twice: more of them than the cache holds. */
const MANY = 200

/** What is sent while the key with this `kid` signs. */
export async function poolFor(kid: string): Promise<Pool> {
  const valid = await times(MANY, (number) => idToken(kid, { claims: { number } }))
  const [first = ''] = valid
  const assertions = await times(50, (number) => assertion(kid, { claims: { number } }))
  const [firstAssertion = ''] = assertions
  const foreign = { key: testOnlyKeys.testOnlyForeign }
  const good = { valid: true, of: 'idTokens', kid } as const
  const bad = { ...good, valid: false }
  return [
    [20, [request('valid, repeated', good, first)]],
    [20, valid.map((token) => request('valid', good, token))],
    [8, valid.map((token) => request('forged', bad, withOtherSignature(token)))],
    [4, [request('signed with another key', bad, await idToken(kid, foreign))]],
    [4, [request('expired', bad, await idToken(kid, { expiresIn: -7200 }))]],
    [
      4,
      [request('of another service', bad, await idToken(kid, { audience: 'https://a.run.app' }))],
    ],
    [4, [request('of a stranger', bad, await idToken(kid, { email: STRANGER }))]],
    [4, await times(MANY, async (n) => request('unknown kid', bad, await bogus(kid, first, n)))],
    [2, [request('garbage', bad, 'a.b.c'), { ...bad, kind: 'no token', headers: {} }]],
    [8, assertions.map((token) => iapRequest('IAP, valid', true, kid, token))],
    [3, [iapRequest('IAP, forged', false, kid, withOtherSignature(firstAssertion))]],
    [3, [iapRequest('IAP, expired', false, kid, await assertion(kid, { expiresIn: -7200 }))]],
  ]
}

/** One request of the pool. */
export function draw(pool: Pool): SoakRequest {
  let left = Math.random() * pool.reduce((sum, [weight]) => sum + weight, 0)
  const [, requests = []] = pool.find(([weight]) => (left -= weight) < 0) ?? []
  const drawn = requests[Math.floor(Math.random() * requests.length)]
  if (drawn === undefined) throw new Error('an empty pool')
  return drawn
}

function times<Made>(count: number, make: (number: number) => Promise<Made>): Promise<Made[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => make(number)))
}

function idToken(kid: string, special: Partial<TestIdToken> = {}): Promise<string> {
  return issuer.idToken({ email: LISTED, audience: AUDIENCE, header: { kid }, ...special })
}

function assertion(kid: string, special: { expiresIn?: number; claims?: object }): Promise<string> {
  return issuer.iapAssertion({
    email: PERSON,
    audience: IAP_AUDIENCE,
    header: { kid },
    ...(special as { expiresIn?: number; claims?: Record<string, unknown> }),
  })
}

function request(
  kind: string,
  rest: Pick<SoakRequest, 'valid' | 'of' | 'kid'>,
  token: string,
): SoakRequest {
  return { ...rest, kind, headers: { authorization: `Bearer ${token}` } }
}

function iapRequest(kind: string, valid: boolean, kid: string, token: string): SoakRequest {
  return { kind, valid, of: 'assertions', kid, headers: { 'x-goog-iap-jwt-assertion': token } }
}

/** A signature of the same length with another first byte. */
function withOtherSignature(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

/** A good token under a `kid` that nobody publishes. */
function bogus(kid: string, token: string, number: number): Promise<string> {
  const header = JSON.stringify({ alg: 'RS256', kid: `${kid}-bogus-${number}`, typ: 'JWT' })
  const [, payload = '', signature = ''] = token.split('.')
  return Promise.resolve([Buffer.from(header).toString('base64url'), payload, signature].join('.'))
}
