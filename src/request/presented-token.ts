import { IdTokenError } from '../errors/id-token-error.ts'
import { bearerToken } from './bearer-token.ts'
import { decidingHeader, type TokenHeader } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'
import { intactCopy, isSignatureRemoved } from './removed-signature.ts'

/** The token that a request presents, and where it was. */
export interface PresentedToken {
  readonly token: string
  readonly header: TokenHeader
  /** The platform took the signature away, and no header holds the token with it. */
  readonly signatureRemoved: boolean
}

/**
 * The token that decides about a request; `null` where it brings none; or the outcome of the check
 * `credentials`.
 */
export function presentedToken(request: RequestHeaders): PresentedToken | null | IdTokenError {
  const deciding = decidingHeader(request)
  if (deciding === null || deciding instanceof IdTokenError) return deciding
  const token = bearerToken(deciding)
  if (token instanceof IdTokenError) return token
  const { name: header } = deciding
  if (!isSignatureRemoved(token)) return { token, header, signatureRemoved: false }
  const copy = header === 'authorization' ? null : intactCopy(request, token)
  if (copy === null) return { token, header, signatureRemoved: true }
  if (copy instanceof IdTokenError) return copy
  return { token: copy, header: 'authorization', signatureRemoved: false }
}
