import type { Caller } from '../caller/caller.ts'
import { callerRefusal } from '../caller/caller-refusal.ts'
import type { AccessPolicy } from '../options/access-policy.ts'
import type { RequestHeaders } from '../request/deciding-header.ts'
import { presentedToken, type PresentedToken } from '../request/presented-token.ts'
import { IdTokenError } from '../verdict/id-token-error.ts'
import type { Verdict } from './decide.ts'
import type { TokenJudge } from './token-judge.ts'

/** How requests are judged. */
export interface Authentication {
  readonly judge: TokenJudge
  readonly trustRemovedSignature: boolean
}

/**
 * Judges a request from its headers to its caller: request → token → verdict → caller.
 *
 * @returns the caller, or `null` where a route that is optional got no token, or the refusal
 * @throws IdTokenError where the headers hold no token that could be judged
 */
export function authenticate(
  authentication: Authentication,
  request: RequestHeaders,
  policy: AccessPolicy,
): Verdict<Caller | null> | Promise<Verdict> {
  const presented = presentedToken(request)
  if (presented === null) return policy.optional ? null : new IdTokenError('ID_TOKEN_MISSING')
  const verdict = judgePresented(authentication, presented, policy)
  return verdict instanceof Promise
    ? verdict.then((late) => admitted(late, policy))
    : admitted(verdict, policy)
}

function judgePresented(
  { judge, trustRemovedSignature }: Authentication,
  { token, header, signatureRemoved }: PresentedToken,
  { audiences }: AccessPolicy,
): Verdict | Promise<Verdict> {
  // Only the header that decides comes here without its signature: the one that Cloud Run checked.
  return signatureRemoved && trustRemovedSignature
    ? judge.judgeWithoutSignature(token, { audiences, header })
    : judge.judge(token, { audiences, header })
}

function admitted(verdict: Verdict, { allowedCallers }: AccessPolicy): Verdict {
  if (allowedCallers === null || verdict instanceof IdTokenError) return verdict
  return callerRefusal(verdict, allowedCallers) ?? verdict
}
