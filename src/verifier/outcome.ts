import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'

/**
 * The result of a verification: the caller (`null` if an optional route got no token), or the
 * refusal.
 *
 * From the check to the adapter, a refusal is returned and not thrown. Throwing would cost more
 * than all checks before the signature, and a forged token would cost more than a good one. A
 * thrown error is a bug.
 */
export type Outcome<Accepted extends Caller | null = Caller> = Accepted | IdTokenError

/** The value itself while keys are current; a promise if they must be fetched first. */
export type Eventual<Type> = Type | Promise<Type>

/** Continues with a value: synchronously if it is not a promise. */
export function whenKnown<From, To>(
  value: Eventual<From>,
  goOn: (value: From) => Eventual<To>,
): Eventual<To> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}

/**
 * The caller, for the methods that promise to throw.
 *
 * @throws IdTokenError
 */
export function acceptedOrThrow<Accepted extends Caller | null>(
  outcome: Outcome<Accepted>,
): Accepted {
  if (outcome instanceof IdTokenError) throw outcome
  return outcome
}
