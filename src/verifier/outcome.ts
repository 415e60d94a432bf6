import { IdTokenError } from '../errors/id-token-error.ts'
import type { Caller } from '../policy/caller.ts'

/**
 * What a verification comes to: the caller (`null` where an optional route got no token), or the
 * refusal.
 *
 * A refusal is returned and not thrown, from the check that makes it up to the adapter: thrown, it
 * would cost more than all checks before the signature, and forged tokens would be dearer than good
 * ones. What is thrown is a bug.
 */
export type Outcome<Accepted extends Caller | null = Caller> = Accepted | IdTokenError

/** At once while keys are current; through a promise where they must be fetched first. */
export type Eventual<Type> = Type | Promise<Type>

/** Goes on with a value: at once where it is known at once. */
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
