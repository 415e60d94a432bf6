import { decodeJwt } from 'jose'
import { printJson, printLines, UsageError } from './io.ts'
import { clientFor, emulatorToken } from './token-supply.ts'
import { defineVerb } from './verb.ts'

/** The client wants a URL, and nothing is sent to it. */
const NOWHERE = 'http://localhost'

/** One token. */
export const token = defineVerb(
  {
    name: 'token',
    summary: 'prints one ID token: from the credentials at hand, or from the emulator',
    about: [
      'The credentials are application default credentials (the metadata server, GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login), which need google-auth-library. Those of a person cannot choose an audience: name a service account that they may impersonate.',
    ],
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
      emulator: {
        type: 'string',
        value: 'URL',
        about: 'ask this emulator, and no credentials are needed',
      },
      email: {
        type: 'string',
        value: 'EMAIL',
        about: "whose token the emulator gives; default: its own account's",
      },
    },
    examples: [
      'curl -H "Authorization: Bearer $(npx fastify-google-id-token token --audience https://orders.example.com)" https://orders.example.com/orders',
      'npx fastify-google-id-token token --audience https://orders.example.com --emulator http://127.0.0.1:9000 --email web@shop-prod.iam.gserviceaccount.com',
    ],
    exits: ['the token is printed', 'no token can be had, and why'],
  },
  async ({ values }, io) => {
    const { audience, emulator, email } = values
    const serviceAccount = values['service-account']
    if (emulator === undefined && email !== undefined) {
      throw new UsageError('Option --email is for --emulator; otherwise use --service-account')
    }
    if (emulator !== undefined && serviceAccount !== undefined) {
      throw new UsageError('Option --service-account is not for --emulator; use --email')
    }
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
