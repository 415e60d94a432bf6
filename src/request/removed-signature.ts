import { IdTokenError } from '../errors/id-token-error.ts'
import { tokenIn } from './bearer-token.ts'
import { headerValue } from './deciding-header.ts'
import type { RequestHeaders } from './request-like.ts'

/**
 * Cloud Run replaces the signature of the token that it has checked with this, before the request
 * reaches the container (https://cloud.google.com/run/docs/troubleshooting#signature-removed). It
 * is valid base64url, so only this comparison can distinguish it from a signature.
 */
export const MARKER = '.SIGNATURE_REMOVED_BY_GOOGLE'

/** Header and payload, each with the dot after it. */
const TWO_SEGMENTS = /^[^.]+\.[^.]+\.$/

/** Whether Cloud Run has removed the signature of this token. */
export function isSignatureRemoved(token: string): boolean {
  return token.endsWith(MARKER)
}

/**
 * The intact copy of a token, if Authorization holds it; `null` if it does not;
 * `ID_TOKEN_REQUEST_MALFORMED` if Authorization was sent twice.
 *
 * Callers may send one token in both headers. Cloud Run checks X-Serverless-Authorization, removes
 * its signature, and does not change Authorization. The intact copy has the same bytes up to the
 * signature, and it is verified in full.
 */
export function intactCopy(
  request: RequestHeaders,
  stripped: string,
  scheme: string,
): string | null | IdTokenError {
  const value = headerValue(request, 'authorization')
  if (value instanceof IdTokenError) return value
  const copy = value === undefined ? undefined : tokenIn(value, scheme)
  if (copy === undefined || isSignatureRemoved(copy)) return null
  const signed = stripped.slice(0, 1 - MARKER.length)
  return TWO_SEGMENTS.test(signed) && copy.startsWith(signed) ? copy : null
}
