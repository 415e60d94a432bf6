import { bearerToken } from './bearer-token.ts'
import { decidingHeader, type TokenHeader } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'
import { intactTwin, isSignatureRemoved } from './removed-signature.ts'

/** The token that a request presents, and where it was. */
export interface PresentedToken {
  readonly token: string
  readonly header: TokenHeader
  /** The platform took the signature away, and no header holds the token with it. */
  readonly signatureRemoved: boolean
}

/**
 * The token that decides about a request, or `null` where it brings none.
 *
 * @throws IdTokenError one of the outcomes of the check `credentials`
 */
export function presentedToken(request: RequestHeaders): PresentedToken | null {
  const deciding = decidingHeader(request)
  if (deciding === null) return null
  const token = bearerToken(deciding)
  if (!isSignatureRemoved(token)) return { token, header: deciding.name, signatureRemoved: false }
  const twin = deciding.name === 'authorization' ? null : intactTwin(request, token)
  return twin === null
    ? { token, header: deciding.name, signatureRemoved: true }
    : { token: twin, header: 'authorization', signatureRemoved: false }
}
