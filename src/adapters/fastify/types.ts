import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { Caller } from '../../policy/caller.ts'
import type { GuardPolicy } from '../../policy/access-policy.ts'
import type { Verifier } from '../../verifier/create-verifier.ts'

/** Who may call one route: a row of `listAllowedCallers()`. */
export interface RouteAccess {
  /** The HTTP method. */
  readonly method: string
  /** The path as the route was declared, its prefix included: `/orders/:id`. */
  readonly url: string
  /**
   * `callers`: the listed callers; `optional`: the listed callers, and requests without a token;
   * `open`: anyone, and no token is read.
   */
  readonly access: 'callers' | 'optional' | 'open'
  /** Empty for an open route. */
  readonly allowedCallers: readonly AllowedCaller[]
  /** Empty for an open route. */
  readonly audience: readonly string[]
  /** Where refused requests are let in as well. */
  readonly reportOnly?: true
}

/**
 * The type of `request.caller` in the handler of a route with this `config`: `Caller`; or
 * `Caller | null` if the config says, or may say, `optional` or `reportOnly`; or `null` if the
 * route is open. The `reportOnly` of the plugin does not change the type: with it, the caller may
 * be `null` where the type says `Caller`.
 */
export type CallerOn<ContextConfig> = ContextConfig extends { idToken: infer Guard }
  ? CallerBehind<Guard>
  : Caller

/** Distributes over a `config.idToken` with a union type. */
type CallerBehind<Guard> = Guard extends false
  ? null
  : Guard extends undefined | (GuardPolicy & EnforcedForAll)
    ? Caller
    : Caller | null

interface EnforcedForAll {
  readonly optional?: false | undefined
  readonly reportOnly?: false | undefined
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `false` for an open route, or who may call it. Default: the plugin's options. */
    idToken?: false | (GuardPolicy & object) | undefined
  }

  // The type parameters must have Fastify's names, so that the interface merges. Only ContextConfig
  // is used.
  interface FastifyRequest<
    RouteGeneric,
    RawServer,
    RawRequest,
    SchemaCompiler,
    TypeProvider,
    ContextConfig,
  > {
    /**
     * Who calls. `null` on an open route, on an optional one without a token, and with `reportOnly`
     * for a request that would be refused, or that goes on before its keys are fetched.
     */
    caller: CallerOn<ContextConfig>
  }

  interface FastifyInstance {
    /** The verifier behind the routes, for websockets, GraphQL and the like. */
    idTokenVerifier: Verifier
    /** Who may call which route of this scope; complete once the app is ready. */
    listAllowedCallers: () => RouteAccess[]
  }
}
