import { IdTokenError } from '../errors/id-token-error.ts'
import { tokenIn } from './bearer-token.ts'
import { headerValue, type TokenHeader } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'

/**
 * What Cloud Run puts in the place of the signature of the token that it has checked, before the
 * request reaches the container
 * (https://cloud.google.com/run/docs/troubleshooting#signature-removed). It is valid base64url, so
 * nothing but this comparison tells it from a signature.
 */
export const MARKER = '.SIGNATURE_REMOVED_BY_GOOGLE'

/** Header and payload, each with the dot after it. */
const TWO_SEGMENTS = /^[^.]+\.[^.]+\.$/

/** Whether the platform has taken the signature of this token away. */
export function isSignatureRemoved(token: string): boolean {
  return token.endsWith(MARKER)
}

/**
 * The same token with its signature, where the twin header still holds it; `null` where it does not;
 * `ID_TOKEN_REQUEST_MALFORMED` where that header was sent twice.
 *
 * Callers may send one token in two headers; Cloud Run checks X-Serverless-Authorization, takes the
 * signature off it, and leaves the other alone. The intact copy is the same token byte for byte up to
 * the signature, and is verified in full: nothing is taken on trust.
 *
 * @param twinHeader - where that copy is looked for, and nowhere else
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
