import type { FastifyInstance } from 'fastify'

/**
 * Set on a scope that has a guard. The scopes inside it inherit it. Two copies of this package use
 * the same symbol, so that each knows what the other guards.
 */
const GUARD = Symbol.for('fastify-google-id-token.guard')

/** Marks a scope as one that has a guard. */
export function markGuarded(scope: FastifyInstance): void {
  scope.decorate(GUARD, true)
}

/** Whether this scope, or one around it, has a guard. */
export function isGuarded(scope: FastifyInstance): boolean {
  return scope.hasDecorator(GUARD)
}
