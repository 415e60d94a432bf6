/** When to stop waiting. */
export interface WaitLimits {
  /** How long to wait, in milliseconds, and the error if it takes longer. Default: no limit. */
  readonly deadline?: { readonly timeout: number; readonly tooLate: () => Error }
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits for something within limits. A limit ends only this wait: the promise stays pending, and
 * others may wait for it too.
 *
 * @throws what `tooLate` makes, the reason of the signal, or whatever the promise rejects with
 */
export function within<Type>(
  promise: Promise<Type>,
  { deadline, signal }: WaitLimits,
): Promise<Type> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      end()
      reject(signal?.reason as Error)
    }
    const timer =
      deadline &&
      setTimeout(() => {
        end()
        reject(deadline.tooLate())
      }, deadline.timeout)
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    signal?.addEventListener('abort', abort, { once: true })
    promise.finally(end).then(resolve, reject)
    if (signal?.aborted === true) abort()
  })
}
