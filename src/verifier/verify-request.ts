import type { Caller } from '../policy/caller.ts'
import { callerRefusal } from '../policy/caller-refusal.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import { presentedToken, type PresentedToken } from '../request/presented-token.ts'
import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import type { Verdict } from './decide.ts'
import type { TokenJudge } from './verify-token.ts'

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
  if (presented === null) return policy.optional ? null : refusal('ID_TOKEN_MISSING')
  const verdict = judgePresented(authentication, presented, policy, request)
  return verdict instanceof Promise
    ? verdict.then((late) => admitted(late, policy))
    : admitted(verdict, policy)
}

function judgePresented(
  { judge, trustRemovedSignature }: Authentication,
  { token, header, signatureRemoved }: PresentedToken,
  { audiences }: AccessPolicy,
  { httpVersionMajor }: RequestHeaders,
): Verdict | Promise<Verdict> {
  const as = { audiences, header }
  // Only the header that decides comes here without its signature: the one that Cloud Run checked.
  // That Authorization decides rests on the other header not being there, and Node's HTTP/2 drops a
  // header that ends in a space without a word.
  const isTrusted =
    trustRemovedSignature &&
    (header === 'x-serverless-authorization' || (httpVersionMajor ?? 1) < 2)
  return signatureRemoved && isTrusted
    ? judge.judgeWithoutSignature(token, as)
    : judge.judge(token, as)
}

/** What becomes of a verified caller: let in where the list holds them. */
export function admitted(verdict: Verdict, { allowedCallers }: AccessPolicy): Verdict {
  if (allowedCallers === null || verdict instanceof IdTokenError) return verdict
  return callerRefusal(verdict, allowedCallers) ?? verdict
}
