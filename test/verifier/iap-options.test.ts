/** The option `iap` is checked at start: what is wrong would refuse, or let in, the wrong callers. */
import t from 'tap'
import { IAP_AUDIENCE } from '../../fixtures/assertions.ts'
import { testOnlyKeys } from '../../fixtures/issuers.ts'
import { iapJwks, jwks } from '../../fixtures/rows.ts'
import { createVerifier, type KeyStore, type VerifierOptions } from '../../src/index.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'

/** What no type would let through. */
function create(iap: unknown, options: object = {}): unknown {
  return createVerifier({ audience, jwks, iap, ...options } as VerifierOptions)
}

t.test('the audience has one of the forms of IAP', (t) => {
  const accepted = [
    IAP_AUDIENCE,
    '/projects/739419398126/regions/us-central1/backendServices/8410938401923844',
    '/projects/739419398126/apps/shop-prod',
    '/projects/739419398126/apps/example.com:shop-prod',
    '/projects/739419398126/locations/us-central1/services/user-profiles',
  ]
  for (const one of [...accepted, accepted]) {
    t.doesNotThrow(() => create({ audience: one, jwks: iapJwks }))
  }
  for (const wrong of [
    undefined,
    null,
    7,
    '',
    [],
    [IAP_AUDIENCE, ''],
    [IAP_AUDIENCE, 'https://user-profiles-abc123-uc.a.run.app'],
    audience,
    ` ${IAP_AUDIENCE}`,
    `${IAP_AUDIENCE}/`,
    `${IAP_AUDIENCE}\n`,
    `x${IAP_AUDIENCE}`,
    `${IAP_AUDIENCE},${IAP_AUDIENCE}`,
    '/projects/shop-prod/global/backendServices/8410938401923844',
    '/projects/739419398126/global/backendServices/user-profiles',
    '/projects/739419398126/global/backendServices/',
    '/projects/739419398126/apps/',
    '/projects/739419398126/locations/us-central1/services/',
    '/projects/739419398126/services/user-profiles',
    '/PROJECTS/739419398126/apps/shop-prod',
    '/projects/*/apps/shop-prod',
  ]) {
    t.throws(() => create({ audience: wrong, jwks: iapJwks }), {
      name: 'TypeError',
      code: 'ID_TOKEN_OPTION_INVALID',
      message:
        /^Option iap\.audience is .*; accepted: \/projects\/NUMBER\/global\/backendServices\/ID/,
    })
  }
  t.end()
})

t.test('everything else in it is checked as well', (t) => {
  const good = { audience: IAP_AUDIENCE }
  class Iap {
    audience = IAP_AUDIENCE
  }
  const { kid, kty, crv, x, y } = testOnlyKeys.testOnlyIap
  const pointOf = (change: object) => ({ keys: [{ kid, kty, crv, x, y, ...change }] })
  const store: KeyStore = { load: () => Promise.resolve(null), save: () => Promise.resolve() }
  const wrong: [iap: unknown, message: RegExp, options?: object][] = [
    [null, /^Option iap is null; accepted: an object with audience, jwksUri, jwks, keyStore/],
    [true, /^Option iap is true/],
    [IAP_AUDIENCE, /^Option iap is '/],
    [[good], /^Option iap is \[/],
    [new Iap(), /^Option iap has a prototype of its own/],
    [{ ...good, audiences: [] }, /^Option iap\.audiences is .*Did you mean audience\?/],
    [
      { ...good, clockTolerance: 60 },
      /^Option iap\.clockTolerance is 60; accepted: only the names/,
    ],
    [
      { ...good, jwksUri: 'http://keys.example' },
      /^Option iap\.jwksUri is 'http:\/\/keys\.example'/,
    ],
    [{ ...good, jwksUri: null }, /^Option iap\.jwksUri is null/],
    [{ ...good, jwksUri: 'https://keys.example', jwks: iapJwks }, /^Option iap\.jwksUri .* either/],
    [{ ...good, jwks: {} }, /^Option iap\.jwks is refused: not a JWK set/],
    [
      { ...good, jwks },
      /^Option iap\.jwks .*kty is not EC; accepted: a JWK set with public EC keys/s,
    ],
    [{ ...good, jwks: pointOf({ crv: 'P-384' }) }, /not an EC key on the curve P-256/],
    [{ ...good, jwks: pointOf({ y: x }) }, /not an EC key on the curve P-256/],
    [{ ...good, jwks: { keys: [testOnlyKeys.testOnlyIap] } }, /private or symmetric key/],
    [{ ...good, keyStore: {} }, /^Option iap\.keyStore is {}/],
    [
      { ...good, keyStore: store },
      /^Option iap\.keyStore is that of .* keyStore/,
      { keyStore: store },
    ],
  ]
  for (const [iap, message, options] of wrong) {
    t.throws(
      () => create(iap, options),
      { name: 'TypeError', code: 'ID_TOKEN_OPTION_INVALID', message },
      message.source,
    )
  }
  t.doesNotThrow(() => create({ ...good, keyStore: store }))
  t.end()
})

t.test('no message shows a private key', (t) => {
  const { d } = testOnlyKeys.testOnlyIap
  for (const key of [testOnlyKeys.testOnlyIap, { ...testOnlyKeys.testOnlyIap, kty: 'oct' }]) {
    try {
      create({ audience: IAP_AUDIENCE, jwks: { keys: [key] } })
      t.fail('refused')
    } catch (error) {
      t.notMatch(String(error), d)
    }
  }
  t.end()
})

t.test('http to a host that is named is accepted for the keys of IAP too, with a warning', (t) => {
  const warnings: object[] = []
  const logger = { warn: (finding: object) => warnings.push(finding) }
  const iap = { audience: IAP_AUDIENCE, jwksUri: 'http://google:8080/iap' }
  create(iap, { allowHttpHosts: ['google'], logger })
  t.strictSame(warnings, [{ option: 'iap.jwksUri', host: 'google' }])
  t.throws(() => create(iap), { message: /^Option iap\.jwksUri / })
  t.end()
})
