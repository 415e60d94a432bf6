/** Whether V8's limit can be changed: `false` once that has failed. */
let canBeSet = true

/**
 * Runs `make` while V8 captures no stack traces: for errors whose stack nobody reads. Capturing it
 * would cost more than the rest of the check.
 *
 * Under `--frozen-intrinsics`, or where an application has frozen `Error`, the limit cannot be
 * changed, and the stack is captured as usual.
 */
export function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  setLimit(0)
  try {
    return make()
  } finally {
    setLimit(stackTraceLimit)
  }
}

/** An assignment, because `Reflect.set` takes ten times as long. */
function setLimit(limit: number): void {
  if (!canBeSet) return
  try {
    Error.stackTraceLimit = limit
  } catch {
    canBeSet = false
  }
}
