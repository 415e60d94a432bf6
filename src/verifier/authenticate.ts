import type { Caller } from '../caller/caller.ts'
import { checkCaller } from '../caller/check-caller.ts'
import type { AccessPolicy } from '../options/access-policy.ts'
import type { RequestHeaders } from '../request/deciding-header.ts'
import { presentedToken, type PresentedToken } from '../request/presented-token.ts'
import { IdTokenError } from '../verdict/id-token-error.ts'
import type { TokenJudge } from './token-judge.ts'

/** How requests are judged. */
export interface Authentication {
  readonly judge: TokenJudge
  readonly trustRemovedSignature: boolean
}

/**
 * Judges a request from its headers to its caller: request → token → verdict → caller.
 *
 * @returns the caller, or `null` where a route that is optional got no token
 * @throws IdTokenError at once or through the promise
 */
export function authenticate(
  authentication: Authentication,
  request: RequestHeaders,
  policy: AccessPolicy,
): Caller | null | Promise<Caller> {
  const presented = presentedToken(request)
  if (presented === null) {
    if (policy.optional) return null
    throw new IdTokenError('ID_TOKEN_MISSING')
  }
  const caller = judgePresented(authentication, presented, policy)
  if (caller instanceof Promise) return caller.then((verified) => allowed(verified, policy))
  return allowed(caller, policy)
}

function judgePresented(
  { judge, trustRemovedSignature }: Authentication,
  { token, header, signatureRemoved }: PresentedToken,
  { audiences }: AccessPolicy,
): Caller | Promise<Caller> {
  // Only the header that decides comes here without its signature: the one that Cloud Run checked.
  return signatureRemoved && trustRemovedSignature
    ? judge.judgeWithoutSignature(token, { audiences, header })
    : judge.judge(token, { audiences, header })
}

function allowed(caller: Caller, { allowedCallers }: AccessPolicy): Caller {
  if (allowedCallers !== null) checkCaller(caller, allowedCallers)
  return caller
}
