import type { IncomingMessage } from 'node:http'
import { GOOGLE_ID_TOKEN } from '../../profiles/google-id-token.ts'
import { decidingHeaderName } from '../../request/deciding-header.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'
import { checkIam, type Refusal } from './iam-check.ts'
import type { IapRefusal } from './iap-refusal.ts'
import type { Invokers } from './invokers.ts'
import type { Passage } from './service-headers.ts'

/** What stands before a service: it lets a request in, or says how it is refused. */
export interface Gate {
  readonly admit: (request: IncomingMessage) => Promise<Passage | Refusal | IapRefusal>
  /** Ends any fetch of keys. */
  readonly close: () => void
}

const NOTHING = /$^/

/**
 * The gate while the IAM check is off. Reports say that the token in X-Serverless-Authorization
 * loses its signature even then.
 */
export const OPEN_GATE: Gate = {
  admit: () =>
    Promise.resolve({ stripped: 'x-serverless-authorization', removed: NOTHING, added: [] }),
  close: () => undefined,
}

/** The IAM check, which removes the signature of the token that it has verified. */
export function iamGate(verifier: Verifier, invokers: Invokers): Gate {
  return {
    admit: async (request) => {
      const refusal = await checkIam(request, verifier, invokers)
      if (refusal !== null) return refusal
      const { headers } = GOOGLE_ID_TOKEN.presentation
      return { stripped: decidingHeaderName(request, headers), removed: NOTHING, added: [] }
    },
    close: () => {
      verifier.close()
    },
  }
}
