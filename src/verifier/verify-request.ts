import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import { callerRefusal } from '../policy/caller-refusal.ts'
import type { Caller } from '../policy/caller.ts'
import type { TokenProfile } from '../profiles/token-profile.ts'
import { presentedToken, type PresentedToken } from '../request/presented-token.ts'
import type { TokenHeader } from '../request/deciding-header.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import { whenKnown, type Eventual, type Outcome } from './outcome.ts'
import type { TokenVerifier } from './verify-token.ts'

/** How requests are verified. */
export interface RequestVerification {
  readonly profile: TokenProfile
  readonly tokens: TokenVerifier
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
  const { profile, twinHeader } = verification
  const presented = presentedToken(request, profile.presentation, twinHeader)
  if (presented instanceof IdTokenError) return presented
  if (presented === null) return policy.optional ? null : refusal('ID_TOKEN_MISSING')
  return whenKnown(verifyPresented(verification, presented, policy, request), (outcome) =>
    ifListed(outcome, policy),
  )
}

function verifyPresented(
  { tokens, trustRemovedSignature }: RequestVerification,
  { token, header, signatureRemoved }: PresentedToken,
  { audiences }: AccessPolicy,
  { httpVersionMajor }: RequestHeaders,
): Eventual<Outcome> {
  const expected = { audiences, header }
  // Only the header that decides comes here without its signature: the one that Cloud Run checked.
  // That Authorization decides rests on the other header not being there, and Node's HTTP/2 drops a
  // header that ends in a space without a word.
  const isTrusted =
    trustRemovedSignature &&
    (header === 'x-serverless-authorization' || (httpVersionMajor ?? 1) < 2)
  return signatureRemoved && isTrusted
    ? tokens.verifyWithoutSignature(token, expected)
    : tokens.verify(token, expected)
}

/** The outcome for a verified caller: the same where the list holds them, else the refusal. */
export function ifListed(outcome: Outcome, { allowedCallers }: AccessPolicy): Outcome {
  if (allowedCallers === null || outcome instanceof IdTokenError) return outcome
  return callerRefusal(outcome, allowedCallers) ?? outcome
}
