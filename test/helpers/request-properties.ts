/**
 * Random services and random requests to them: options, policies, key endpoints and headers, most of
 * them nearly right. Both are described before they are made, so that fast-check can shrink them.
 */
import fc from 'fast-check'
import type { JSONWebKeySet } from 'jose'
import { assertion, IAP_AUDIENCE } from '../../fixtures/assertions.ts'
import { iapJwks } from '../../fixtures/rows.ts'
import type { AllowedCaller, GuardPolicy, KeyStore } from '../../src/index.ts'
import { anyToken, NOW, SECONDS, tokenOf } from './compare-with-jose.ts'
import type { ExpectedService } from './expected-caller.ts'
import type { Pair } from './expected-token.ts'
import type { AppParts } from './guarded-app.ts'
import { issuer, otherIssuer } from './issuer.ts'
import { ada, audience, login, search } from './shop.ts'

const oneOf = fc.constantFrom
/** Most services differ from a usual one in few respects: otherwise nobody would be let in. */
const seldom = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

/** A key endpoint, and what an earlier instance has stored. */
interface Endpoint {
  readonly status: number
  readonly cacheControl: string
  readonly body: string
  readonly fails: 'never' | 'at once' | 'later'
  readonly stored: unknown
}

const { keys } = issuer.jwks
const documents = [
  issuer.jwks,
  issuer.jwks,
  { keys: [...keys, ...otherIssuer.jwks.keys] },
  otherIssuer.jwks,
  { keys: [...keys, ...keys] },
  { keys: [...keys, issuer.key] },
  { keys: [{ ...keys[0], use: 'enc' }] },
  { keys: [{ ...keys[0], kid: 'other' }] },
  { keys: {} },
]

const endpoint: fc.Arbitrary<Endpoint> = fc.record({
  status: oneOf(200, 200, 200, 200, 304, 301, 404, 500),
  cacheControl: fc.oneof(
    oneOf('public, max-age=21600', 'no-store', 'max-age=-1', ', ,=,max-age="x', 'max-age=9e9'),
    fc.stringMatching(/^[!-~]{0,20}$/),
  ),
  body: fc.oneof(
    { weight: 4, arbitrary: oneOf(...documents).map((document) => JSON.stringify(document)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string() },
  ),
  fails: oneOf('never', 'never', 'never', 'at once', 'later'),
  stored: fc.oneof(
    fc.constant(null),
    fc.constant(null),
    oneOf(...documents).map((jwks) => ({
      jwks,
      fetchedAt: NOW.getTime() - 60_000,
      lifetimeSeconds: 600,
    })),
    fc.anything(),
  ),
})

const list: fc.Arbitrary<AllowedCaller[]> = fc.array(
  oneOf<AllowedCaller>(
    login,
    `serviceAccount:${login}`,
    '108612345678901234567',
    '*@shop-prod.iam.gserviceaccount.com',
    search,
    '*@elsewhere.iam.gserviceaccount.com',
    { email: ada },
    { email: 'dana@example.com' },
  ),
  { minLength: 1, maxLength: 3 },
)
const someAudience = oneOf<string | string[]>(
  audience,
  `${audience}/`,
  [audience, 'custom'],
  ['https://other.run.app', `${audience}/`],
)

/** A service before it is started. */
export interface ServiceDescription {
  readonly audience: string | readonly string[]
  readonly allowedCallers: readonly AllowedCaller[]
  readonly issuer: string | undefined
  readonly clockTolerance: number | undefined
  readonly maxTokenLifetime: number | undefined
  readonly tokenCache: false | { readonly max: number } | undefined
  readonly twinHeader: string | undefined
  readonly iap: boolean
  readonly reportOnly: boolean | undefined
  /** Of the route. */
  readonly policy: GuardPolicy | undefined
  /** `undefined`: the keys are an option. */
  readonly endpoint: Endpoint | undefined
}

export const anyService: fc.Arbitrary<ServiceDescription> = fc.record({
  audience: someAudience,
  allowedCallers: list,
  issuer: seldom(oneOf('https://accounts.google.com', 'https://issuer.example.com')),
  clockTolerance: seldom(oneOf(0, 60, 300)),
  maxTokenLifetime: seldom(oneOf(3600, 3599, 86_400)),
  tokenCache: seldom(oneOf(false as const, { max: 1 }, { max: 100 })),
  twinHeader: seldom(fc.constant('x-twin')),
  iap: fc.boolean(),
  reportOnly: seldom(fc.boolean()),
  policy: seldom(
    fc.record({
      allowedCallers: list,
      audience: seldom(fc.oneof(someAudience, fc.constant('https://other.run.app'))),
      reportOnly: seldom(fc.boolean()),
    }),
  ),
  endpoint: seldom(endpoint),
})

/** The options of a service, and the policy of its route. */
export function partsOf(description: ServiceDescription): AppParts {
  const { policy, endpoint, iap, audience, allowedCallers, ...options } = description
  return {
    ...(policy && { policy }),
    options: {
      ...options,
      audience,
      allowedCallers,
      clock: () => NOW,
      ...(iap && { iap: { audience: IAP_AUDIENCE, jwks: iapJwks } }),
      ...(endpoint === undefined
        ? { jwks: issuer.jwks }
        : { fetch: fetchOf(endpoint), keyStore: storeOf(endpoint) }),
    },
  }
}

function fetchOf({ status, cacheControl, body, fails }: Endpoint): typeof fetch {
  return () => {
    if (fails === 'at once') throw new Error('out of order')
    if (fails === 'later') return Promise.reject(new Error('connect ECONNREFUSED'))
    const headers = { 'cache-control': cacheControl }
    return Promise.resolve(new Response(status === 304 ? null : body, { status, headers }))
  }
}

function storeOf({ stored, fails }: Endpoint): KeyStore {
  return {
    load: () => Promise.resolve(stored as never),
    save: () => (fails === 'never' ? Promise.resolve() : Promise.reject(new Error('read-only'))),
  }
}

/** Whether its requests are only reported. */
export function isReportOnly({ policy, reportOnly }: ServiceDescription): boolean {
  return policy?.reportOnly ?? reportOnly ?? false
}

/** What decides about the callers of a service. */
export function expectedServiceOf(description: ServiceDescription): ExpectedService {
  const { policy, endpoint, iap, issuer: issuers, twinHeader = 'authorization' } = description
  const { clockTolerance = 60, maxTokenLifetime = 86_400 } = description
  return {
    jwks: endpoint === undefined ? [issuer.jwks as JSONWebKeySet] : keySetsOf(endpoint),
    audiences: [policy?.audience ?? description.audience].flat(),
    issuers: [issuers ?? ['https://accounts.google.com', 'accounts.google.com']].flat(),
    clockTolerance,
    maxTokenLifetime,
    twinHeader,
    iap: iap ? { audience: IAP_AUDIENCE, jwks: iapJwks as JSONWebKeySet } : null,
    allowedCallers: policy?.allowedCallers ?? description.allowedCallers,
    now: NOW,
  }
}

/** Both sets that it may have, if they are sets: whether it may use them is not said here. */
function keySetsOf({ body, stored }: Endpoint): JSONWebKeySet[] {
  const sets = [(stored as { jwks?: unknown } | null | undefined)?.jwks, parsed(body)]
  return sets.filter((set): set is JSONWebKeySet =>
    Array.isArray((set as { keys?: unknown } | null | undefined)?.keys),
  )
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

const AT = { iat: SECONDS, exp: SECONDS + 600 }
const assertions = [
  assertion({ claims: AT }),
  assertion({ claims: { ...AT, aud: `${IAP_AUDIENCE}0` } }),
  assertion({ claims: AT, signature: () => Buffer.alloc(64, 1) }),
  assertion({ header: { alg: 'RS256' }, claims: AT }),
]

const token = anyToken.map(tokenOf)
const good = anyToken.map((description) =>
  tokenOf({ ...description, header: {}, claims: {}, before: '', signedBy: 'issuer', changes: [] }),
)
const stripped = fc
  .oneof(good, token)
  .map((one) => one.replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE'))
const bearer = fc
  .tuple(oneOf('Bearer ', 'Bearer ', 'bearer  ', ''), fc.oneof(good, token, stripped))
  .map((parts) => parts.join(''))

const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: bearer },
  { weight: 1, arbitrary: oneOf(...assertions) },
  {
    weight: 1,
    arbitrary: fc.tuple(bearer, bearer).map((both) => both.join(', ')),
  },
  { weight: 1, arbitrary: oneOf('', 'Bearer', 'Basic Og==', 'Bearer a.b.c', 'x') },
  { weight: 1, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
)

const name = oneOf(
  'Authorization',
  'authorization',
  'AUTHORIZATION',
  'X-Serverless-Authorization',
  'x-serverless-authorization',
  'X-Twin',
  'x-other',
)

/** A token in two headers, as callers of Cloud Run send it. */
const twins: fc.Arbitrary<Pair[]> = fc
  .tuple(fc.oneof(good, token), oneOf('Authorization', 'X-Twin'))
  .map(([one, twin]) => [
    [
      'X-Serverless-Authorization',
      `Bearer ${one.replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE')}`,
    ],
    [twin, `Bearer ${one}`],
  ])

/** The headers of a request, in order, as no header line can break. */
export const anyHeaders: fc.Arbitrary<Pair[]> = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 3 }) },
    { weight: 2, arbitrary: good.map((one): Pair[] => [['Authorization', `Bearer ${one}`]]) },
    { weight: 1, arbitrary: twins },
    {
      weight: 1,
      arbitrary: fc
        .tuple(oneOf(...assertions), fc.array(fc.tuple(name, value), { maxLength: 1 }))
        .map(([one, others]): Pair[] => [...others, ['X-Goog-IAP-JWT-Assertion', one]]),
    },
  )
  .map((pairs) => pairs.filter(([, one]) => /^[ -~]*$/.test(one)))
  // The parser takes the spaces around a value away (RFC 9110 section 5.5).
  .map((pairs) => pairs.map(([header, one]): Pair => [header, one.replace(/^ +| +$/g, '')]))
