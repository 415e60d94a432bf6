import { IdTokenError } from '../verdict/id-token-error.ts'
import type { AllowedCallers } from './allowed-callers.ts'
import type { Caller } from './caller.ts'

/**
 * Whether a verified caller is in the list.
 *
 * @throws IdTokenError `ID_TOKEN_CALLER_NOT_ALLOWED`, or `ID_TOKEN_CALLER_UNIDENTIFIED` where the
 * token leaves open who calls
 */
export function checkCaller({ email, subject }: Caller, allowed: AllowedCallers): void {
  if (allowed.includes(email, subject)) return
  throw new IdTokenError(
    email === undefined ? 'ID_TOKEN_CALLER_UNIDENTIFIED' : 'ID_TOKEN_CALLER_NOT_ALLOWED',
    { expected: allowed.summary, found: email ?? subject },
  )
}
