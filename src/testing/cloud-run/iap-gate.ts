import { IdTokenError } from '../../errors/id-token-error.ts'
import type { Caller } from '../../policy/caller.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'
import type { Header } from './end-to-end-headers.ts'
import type { Gate } from './gate.ts'
import { callerOf } from './iam-check.ts'
import type { IapSettings } from './iap-frontend-options.ts'
import type { IapRefusal } from './iap-refusal.ts'
import { withoutSignature } from './service-headers.ts'

/**
 * IAP takes these away where clients send them
 * (https://cloud.google.com/iap/docs/signed-headers-howto), and calls Cloud Run with a token of its own.
 */
const REMOVED = /^(?:x-goog-.*|x-serverless-authorization)$/i

/**
 * Identity-Aware Proxy, as programs pass it: with an ID token for its OAuth client in `Authorization`
 * (https://cloud.google.com/iap/docs/authentication-howto). `Authorization` goes on as it was sent.
 */
export function iapGate(verifier: Verifier, settings: IapSettings): Gate {
  return {
    admit: async (request) => {
      const caller = await callerOf(request, verifier, ['authorization'])
      if (caller === null) return { status: 401, text: 'Invalid IAP credentials: empty token' }
      if (caller instanceof IdTokenError) return refusalOf(caller)
      if (!settings.members.include(caller)) {
        return { status: 403, text: "You don't have access" }
      }
      return { stripped: null, removed: REMOVED, added: await headersOfIap(caller, settings) }
    },
    close: () => {
      verifier.close()
    },
  }
}

function refusalOf({ code }: IdTokenError): IapRefusal {
  return code === 'ID_TOKEN_KEYS_UNAVAILABLE'
    ? { status: 503, text: 'The keys of ID tokens are unavailable' }
    : { status: 401, text: 'Invalid IAP credentials: the token could not be verified' }
}

/** What IAP says about the caller, signed and unsigned, and the token with which it calls Cloud Run. */
async function headersOfIap(
  { email, subject }: Caller,
  { issuer, audience, agent, serviceAudience }: IapSettings,
): Promise<Header[]> {
  const [assertion, token] = await Promise.all([
    issuer.iapAssertion({ audience, email, subject }),
    issuer.idToken({ audience: serviceAudience, email: agent }),
  ])
  return [
    ['X-Goog-Authenticated-User-ID', `accounts.google.com:${subject}`],
    ...(email === undefined
      ? []
      : [['X-Goog-Authenticated-User-Email', `accounts.google.com:${email}`] satisfies Header]),
    ['X-Goog-IAP-JWT-Assertion', assertion],
    ['X-Serverless-Authorization', withoutSignature(`Bearer ${token}`)],
  ]
}
