import { refusal, type IdTokenError } from '../errors/id-token-error.ts'
import { evidenceOf } from '../token/claims.ts'
import type { AllowedCallers } from './allowed-callers.ts'
import type { Caller } from './caller.ts'

/**
 * Why a verified caller is refused: `ID_TOKEN_CALLER_NOT_ALLOWED`, or
 * `ID_TOKEN_CALLER_UNIDENTIFIED` if the token does not say who calls; `null` for a caller in the
 * list.
 */
export function callerRefusal(
  { email, subject, signatureVerified, source, claims }: Caller,
  allowed: AllowedCallers,
): IdTokenError | null {
  if (allowed.includes(email, subject)) return null
  return refusal(
    email === undefined ? 'ID_TOKEN_CALLER_UNIDENTIFIED' : 'ID_TOKEN_CALLER_NOT_ALLOWED',
    {
      expected: allowed.summary,
      account: signatureVerified ? { email, subject } : undefined,
      evidence: () => evidenceOf(claims, source),
      found: () => {
        const account = email === undefined ? subject : `${email} (unique id ${subject})`
        return signatureVerified ? account : `by a token without its signature: ${account}`
      },
    },
  )
}
