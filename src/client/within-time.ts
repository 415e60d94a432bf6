import { within } from '../pacing/within.ts'
import { ServiceClientError } from './service-client-error.ts'

/**
 * Waits for a token. Others may wait for the same token.
 *
 * @throws ServiceClientError `SERVICE_CLIENT_TOKEN_TIMED_OUT`, or the signal's reason
 */
export function withinTime(
  token: Promise<string>,
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const tooLate = (): Error => new ServiceClientError('SERVICE_CLIENT_TOKEN_TIMED_OUT')
  return within(token, { deadline: { timeout, tooLate }, signal })
}
