import { ServiceClientError } from './service-client-error.ts'

/** How long somebody waits for something that others may wait for as well. */
export interface WaitLimits {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

/**
 * Waits for something shared. Who gives up ends this wait only.
 *
 * @throws ServiceClientError `SERVICE_CLIENT_TOKEN_TIMED_OUT`, or the signal's reason
 */
export function boundedWait<Type>(
  shared: Promise<Type>,
  { timeout, signal }: WaitLimits,
): Promise<Type> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      end()
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      end()
      reject(new ServiceClientError('SERVICE_CLIENT_TOKEN_TIMED_OUT'))
    }, timeout)
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    signal?.addEventListener('abort', abort, { once: true })
    shared.finally(end).then(resolve, reject)
    if (signal?.aborted === true) abort()
  })
}
