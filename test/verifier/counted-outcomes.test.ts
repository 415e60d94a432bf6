/** How outcomes are counted: where they are enforced, and where they are only reported. */
import t from 'tap'
import { createVerifierCore } from '../../src/verifier/create-verifier.ts'
import { issuer } from '../helpers/issuer.ts'
import { meterWith } from '../helpers/meter.ts'
import { audience, login } from '../helpers/shop.ts'

t.test('an outcome counts as enforced unless its policy only reports', async (t) => {
  const counted: unknown[] = []
  const meter = meterWith((name) => ({
    add: (count, attributes) => {
      if (name === 'google_id_token.verdicts') counted.push([count, attributes])
    },
  }))
  const { settings, verifier, verifyRequest } = createVerifierCore({
    audience,
    allowedCallers: [login],
    jwks: issuer.jwks,
    meter,
  })
  for (const reportOnly of [false, true]) {
    await verifyRequest({ headers: {} }, { ...settings.defaultPolicy, reportOnly }, '/orders/:id')
  }
  await t.rejects(verifier.authenticate({ headers: {} }), { code: 'ID_TOKEN_MISSING' })
  const refused = { outcome: 'refused', 'error.type': 'ID_TOKEN_MISSING' }
  t.strictSame(counted, [
    [1, { enforced: true, 'http.route': '/orders/:id', ...refused }],
    [1, { enforced: false, 'http.route': '/orders/:id', ...refused }],
    [1, { enforced: true, ...refused }],
  ])
})
