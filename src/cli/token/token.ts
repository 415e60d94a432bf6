import { decodeJwt } from 'jose'
import { printJson, printLines } from '../io.ts'
import {
  assertOneSource,
  clientFor,
  CREDENTIALS,
  emulatorToken,
  FROM_EMULATOR,
} from '../token-supply.ts'
import { defineVerb } from '../verb.ts'

/** The client wants a URL, and nothing is sent to it. */
const NOWHERE = 'http://localhost'

/** One token. */
export const token = defineVerb(
  {
    name: 'token',
    summary: 'prints one ID token: from the credentials at hand, or from the emulator',
    about: [CREDENTIALS],
    options: {
      audience: {
        type: 'string',
        required: true,
        value: 'AUDIENCE',
        about: 'the URL of the service, or one of its custom audiences',
      },
      'service-account': {
        type: 'string',
        value: 'EMAIL',
        about: 'the service account to impersonate',
      },
      ...FROM_EMULATOR,
    },
    examples: [
      [
        'TOKEN=$(npx fastify-google-id-token token --audience https://orders.example.com)',
        'curl -H "Authorization: Bearer $TOKEN" https://orders.example.com/orders',
      ].join('\n'),
      [
        'npx fastify-google-id-token token --audience https://orders.example.com \\',
        '  --emulator http://127.0.0.1:9000 --email web@shop-prod.iam.gserviceaccount.com',
      ].join('\n'),
    ],
    exits: ['the token is printed', 'there is no token; standard error says why'],
  },
  async ({ values }, io) => {
    const { audience, emulator, email } = values
    const serviceAccount = values['service-account']
    assertOneSource(values)
    const jwt =
      emulator === undefined
        ? await clientFor({ url: NOWHERE, audience, serviceAccount }, io).idToken()
        : await emulatorToken(emulator, audience, email)
    if (values.json) {
      const { aud, email, sub, exp } = decodeJwt(jwt)
      printJson(io, { token: jwt, audience: aud, email, subject: sub, expiresAt: exp })
    } else printLines(io.stdout, [jwt])
    return 0
  },
)
