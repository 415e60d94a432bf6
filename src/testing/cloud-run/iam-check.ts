import type { IncomingMessage } from 'node:http'
import { bearerToken } from '../../request/bearer-token.ts'
import { GOOGLE_ID_TOKEN } from '../../profiles/google-id-token.ts'
import { decidingHeader, type TokenHeader } from '../../request/deciding-header.ts'
import { IdTokenError } from '../../errors/id-token-error.ts'
import type { Caller } from '../../policy/caller.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'
import type { Invokers } from './invokers.ts'

/** The statuses of refusals. */
export type Refusal = 401 | 403 | 503

/**
 * Checks `run.routes.invoke`, with only the header that decides.
 *
 * @returns the status of the refusal, or `null` where the caller may invoke the service
 */
export async function checkIam(
  request: IncomingMessage,
  verifier: Verifier,
  invokers: Invokers,
): Promise<Refusal | null> {
  const caller = await callerOf(request, verifier, GOOGLE_ID_TOKEN.presentation.headers)
  if (caller === null) return 403
  if (caller instanceof IdTokenError) return refusalOf(caller)
  return invokers.include(caller) ? null : 403
}

/** The caller, from the first of these headers that was sent; `null` if none was sent. */
export async function callerOf(
  request: IncomingMessage,
  verifier: Verifier,
  headers: readonly TokenHeader[],
): Promise<Caller | null | IdTokenError> {
  const deciding = decidingHeader(request, headers)
  if (deciding === null || deciding instanceof IdTokenError) return deciding
  const token = bearerToken(deciding, GOOGLE_ID_TOKEN.presentation.scheme)
  if (token instanceof IdTokenError) return token
  try {
    return await verifier.verifyAnyCaller(token)
  } catch (error) {
    return error as IdTokenError
  }
}

/**
 * Cloud Run distinguishes a request without a token (403) from one whose token it cannot verify
 * (401). Another scheme than Bearer counts as no token, and a repeated header as a token that
 * cannot be verified.
 */
function refusalOf({ code }: IdTokenError): Refusal {
  if (code === 'ID_TOKEN_SCHEME_UNSUPPORTED') return 403
  return code === 'ID_TOKEN_KEYS_UNAVAILABLE' ? 503 : 401
}
