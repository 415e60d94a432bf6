import { IdTokenError } from '../errors/id-token-error.ts'
import { bearerToken } from './bearer-token.ts'
import { decidingHeader, type TokenHeader } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'
import { intactCopy, isSignatureRemoved } from './removed-signature.ts'

/** How requests present tokens of one kind. */
export interface Presentation {
  /** The headers that may carry the token; the first that is present decides. */
  readonly headers: readonly TokenHeader[]
  /** The authentication scheme before the token (RFC 9110 section 11.1); `null`: the token alone. */
  readonly scheme: string | null
  /** Whether Cloud Run checks such tokens, and takes away the signature of one that it has checked. */
  readonly checkedByCloudRun: boolean
}

/** The token that a request presents, and where it was. */
export interface PresentedToken {
  readonly token: string
  readonly header: TokenHeader
  /** Whether Cloud Run removed the signature, and no header holds an intact copy. */
  readonly signatureRemoved: boolean
}

/**
 * The token that decides about a request; `null` if the request has none; or the refusal of the
 * check `credentials`.
 *
 * @param twinHeader - the header that may hold the intact copy of a token without its signature
 */
export function presentedToken(
  request: RequestHeaders,
  { headers, scheme, checkedByCloudRun }: Presentation,
  twinHeader: TokenHeader,
): PresentedToken | null | IdTokenError {
  const deciding = decidingHeader(request, headers)
  if (deciding === null || deciding instanceof IdTokenError) return deciding
  const token = bearerToken(deciding, scheme)
  if (token instanceof IdTokenError) return token
  const { name: header } = deciding
  if (!checkedByCloudRun || !isSignatureRemoved(token)) {
    return { token, header, signatureRemoved: false }
  }
  const copy =
    header === 'authorization' ? null : intactCopy(request, token, { twinHeader, scheme })
  if (copy === null) return { token, header, signatureRemoved: true }
  if (copy instanceof IdTokenError) return copy
  return { token: copy, header: twinHeader, signatureRemoved: false }
}
