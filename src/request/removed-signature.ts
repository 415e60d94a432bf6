import { IdTokenError } from '../errors/id-token-error.ts'
import { tokenIn } from './bearer-token.ts'
import { headerValue, type TokenHeader } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'

/**
 * Cloud Run puts this in the place of the signature of the token that it has checked, before the
 * request reaches the container
 * (https://cloud.google.com/run/docs/troubleshooting#signature-removed). It is valid base64url, so
 * only this comparison can distinguish it from a signature.
 */
export const MARKER = '.SIGNATURE_REMOVED_BY_GOOGLE'

/** Header and payload, each with the dot after it. */
const TWO_SEGMENTS = /^[^.]+\.[^.]+\.$/

/** Whether Cloud Run has removed the signature of this token. */
export function isSignatureRemoved(token: string): boolean {
  return token.endsWith(MARKER)
}

/**
 * The intact copy of a token, if the twin header holds it; `null` if it does not;
 * `ID_TOKEN_REQUEST_MALFORMED` if that header was sent twice.
 *
 * Callers may send one token in two headers. Cloud Run checks X-Serverless-Authorization, removes
 * its signature, and does not change the other header. The intact copy has the same bytes up to the
 * signature, and it is verified in full.
 *
 * @param twinHeader - the only header in which the copy is looked for
 */
export function intactCopy(
  request: RequestHeaders,
  stripped: string,
  { twinHeader, scheme }: { readonly twinHeader: TokenHeader; readonly scheme: string | null },
): string | null | IdTokenError {
  const value = headerValue(request, twinHeader)
  if (value instanceof IdTokenError) return value
  const copy = value === undefined ? undefined : tokenIn(value, scheme)
  if (copy === undefined || isSignatureRemoved(copy)) return null
  const signed = stripped.slice(0, 1 - MARKER.length)
  return TWO_SEGMENTS.test(signed) && copy.startsWith(signed) ? copy : null
}
