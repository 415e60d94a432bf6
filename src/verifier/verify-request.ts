import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import { callerRefusal } from '../policy/caller-refusal.ts'
import type { Caller } from '../policy/caller.ts'
import type { Audiences } from '../policy/audiences.ts'
import type { TokenProfile } from '../profiles/token-profile.ts'
import { presentedToken, type PresentedToken } from '../request/token-from-headers.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import { whenKnown, type Eventual, type Outcome } from './outcome.ts'
import type { TokenVerifier } from './verify-token.ts'

/** How the tokens of one kind are verified. */
export interface TokenKind {
  readonly profile: TokenProfile
  readonly tokens: TokenVerifier
  /** What they must be for; `null`: the audiences of the route. */
  readonly audiences: Audiences | null
}

/** How requests are verified. */
export interface RequestVerification {
  /** The first whose header is present decides. */
  readonly kinds: readonly TokenKind[]
  /** Where the intact copy of a stripped token is looked for. */
  readonly twinHeader: TokenHeader
  readonly trustRemovedSignature: boolean
}

/** Verifies a request from its headers to its caller: request → token → outcome → caller. */
export function verifyRequest(
  verification: RequestVerification,
  request: RequestHeaders,
  policy: AccessPolicy,
): Eventual<Outcome<Caller | null>> {
  for (const kind of verification.kinds) {
    const presented = presentedToken(request, kind.profile.presentation, verification.twinHeader)
    if (presented === null) continue
    if (presented instanceof IdTokenError) return presented
    const isTrusted = isTrustedWithoutSignature(presented, verification, request)
    return whenKnown(verifyPresented(kind, presented, policy, isTrusted), (outcome) =>
      ifListed(outcome, policy),
    )
  }
  return policy.optional ? null : refusal('ID_TOKEN_MISSING')
}

/** Whether a token is trusted although Cloud Run has removed its signature. */
function isTrustedWithoutSignature(
  { header, signatureRemoved }: PresentedToken,
  { trustRemovedSignature }: RequestVerification,
  { httpVersionMajor }: RequestHeaders,
): boolean {
  // A token without its signature is in the header that decides: Cloud Run has checked it. But over
  // HTTP/2, Node silently drops a header whose value ends in a space. So if Authorization decides
  // there, Cloud Run may have checked the other header, and anyone could have written
  // Authorization.
  return (
    signatureRemoved &&
    trustRemovedSignature &&
    (header === 'x-serverless-authorization' || (httpVersionMajor ?? 1) < 2)
  )
}

function verifyPresented(
  { tokens, audiences }: TokenKind,
  { token, header }: PresentedToken,
  policy: AccessPolicy,
  isTrusted: boolean,
): Eventual<Outcome> {
  const expected = { audiences: audiences ?? policy.audiences, header }
  return isTrusted ? tokens.verifyWithoutSignature(token, expected) : tokens.verify(token, expected)
}

/**
 * The outcome for a verified caller: the same if the caller is in the list, otherwise the refusal.
 */
export function ifListed(outcome: Outcome, { allowedCallers }: AccessPolicy): Outcome {
  if (allowedCallers === null || outcome instanceof IdTokenError) return outcome
  return callerRefusal(outcome, allowedCallers) ?? outcome
}
