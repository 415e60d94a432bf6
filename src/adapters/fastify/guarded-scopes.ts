import type { FastifyInstance } from 'fastify'

/**
 * On a scope that has a guard, and so on the scopes inside it, which inherit from it. The symbol is
 * the same in two copies of this package: what one of them guards, the other must not miss.
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
