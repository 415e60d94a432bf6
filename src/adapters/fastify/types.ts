import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { Caller } from '../../policy/caller.ts'
import type { RoutePolicy } from '../../policy/access-policy.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'

/** Who may call one route: a row of `listAllowedCallers()`. */
export interface RouteAccess {
  /** The HTTP method. */
  readonly method: string
  /** The path as the route was declared, its prefix included: `/orders/:id`. */
  readonly url: string
  /** `callers`: the listed ones; `optional`: they, or nobody named; `open`: anyone, unread. */
  readonly access: 'callers' | 'optional' | 'open'
  /** Empty for an open route. */
  readonly allowedCallers: readonly AllowedCaller[]
  /** Empty for an open route. */
  readonly audience: readonly string[]
}

/**
 * The type of `request.caller` in the handler of a route with this `config`: `Caller`, except that
 * it may be `null` where the route is, or may be, optional, and is `null` where the route is open.
 */
export type CallerOn<ContextConfig> = ContextConfig extends { idToken: infer Guard }
  ? CallerBehind<Guard>
  : Caller

/** Distributes over a `config.idToken` that is one thing or another. */
type CallerBehind<Guard> = Guard extends false
  ? null
  : Guard extends undefined | (RoutePolicy & { optional?: false | undefined })
    ? Caller
    : Caller | null

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `false` for a route open to anyone, or who may call it; default: the plugin's options. */
    idToken?: false | (RoutePolicy & object) | undefined
  }

  // The names are Fastify's own: an interface merges by them, and ContextConfig is what is needed.
  interface FastifyRequest<
    RouteGeneric,
    RawServer,
    RawRequest,
    SchemaCompiler,
    TypeProvider,
    ContextConfig,
  > {
    /** Who calls. `null` on an open route, and on an optional one without a token. */
    caller: CallerOn<ContextConfig>
  }

  interface FastifyInstance {
    /** The verifier behind the routes, for websockets, GraphQL and the like. */
    idTokenVerifier: Verifier
    /** Who may call which route of this scope; complete once the app is ready. */
    listAllowedCallers: () => RouteAccess[]
  }
}
