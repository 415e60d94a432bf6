import { within, type WaitLimits } from '../pacing/within.ts'
import { ServiceClientError } from './service-client-error.ts'

/**
 * Waits for a token that others may wait for as well.
 *
 * @throws ServiceClientError `SERVICE_CLIENT_TOKEN_TIMED_OUT`, or the signal's reason
 */
export function withinTime(
  token: Promise<string>,
  limits: Pick<WaitLimits, 'timeout' | 'signal'>,
): Promise<string> {
  return within(token, {
    ...limits,
    tooLate: () => new ServiceClientError('SERVICE_CLIENT_TOKEN_TIMED_OUT'),
  })
}
