/**
 * Runs `make` while V8 captures no stack traces: for errors whose stack nobody reads. Capturing it
 * would cost more than the rest of the check.
 *
 * `Reflect.set` reports failure instead of throwing: under `--frozen-intrinsics`, or where an
 * application has frozen `Error`, the limit cannot be changed and the stack is captured as usual.
 */
export function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
