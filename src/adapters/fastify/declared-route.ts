import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as it was declared, and the scope that it was declared in. */
export interface DeclaredRoute {
  readonly scope: FastifyInstance
  readonly method: string | readonly string[]
  /** With the prefix of the scope. */
  readonly url: string
  /** As given. Other plugins may change them until the app is ready. */
  readonly options: RouteOptions
  /** As its author wrote it. Other plugins may wrap it later. */
  readonly handler: RouteOptions['handler']
}
