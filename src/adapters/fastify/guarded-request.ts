import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Logger } from '../../checks/injected.ts'
import type { IdTokenError } from '../../errors/id-token-error.ts'
import type { Caller } from '../../policy/caller.ts'
import type { RequestHeaders } from '../../request/request-like.ts'
import type { GuardedRequest } from '../request-guard.ts'

/** What the `onRequest` hook gets, and the options of the route, which Fastify makes anew each time. */
export interface HookCall {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly routeOptions: FastifyRequest['routeOptions']
  readonly done: HookHandlerDoneFunction
}

/** What all requests of a guarded scope share. */
export interface GuardedScope {
  /** The option `logger`, or the logger of the app. */
  readonly appLog: Logger
  /** Aborted when the app begins to close. */
  readonly closing: AbortSignal
}

/** A request of Fastify as the guard needs it. A class, because its functions are made once. */
export class GuardedFastifyRequest implements GuardedRequest {
  /** As it arrived: handlers may change it before a late report. */
  readonly method: string
  readonly #call: HookCall
  readonly #scope: GuardedScope

  constructor(call: HookCall, scope: GuardedScope) {
    this.method = call.request.method
    this.#call = call
    this.#scope = scope
  }

  get raw(): RequestHeaders {
    return this.#call.request.raw
  }

  get route(): string | undefined {
    return this.#call.routeOptions.url
  }

  /** What a refusal names: the route, as a path may hold what a caller chose. */
  get target(): string | undefined {
    return this.route
  }

  get log(): FastifyRequest['log'] {
    return this.#call.request.log
  }

  get appLog(): Logger {
    return this.#scope.appLog
  }

  /** Fastify has chosen the route before its hooks run. */
  whenRouted(run: () => void): void {
    run()
  }

  accept(caller: Caller | null): void {
    this.#call.request.caller = caller as never
  }

  refuse({ headers }: IdTokenError): void {
    const { request, reply } = this.#call
    // Set here and on the error, because the app's own error handler may ignore the error's
    // headers.
    void reply.headers(headers)
    if (this.#scope.closing.aborted) endConnection(request, reply)
  }

  next(error?: unknown): void {
    this.#call.done(error as Error | undefined)
  }
}

/**
 * A client that keeps its connection would delay the end until the keep-alive timeout. Fastify
 * sends this header to requests that come after `close`, but not to those that waited. HTTP/2 has
 * no such header (RFC 9113 section 8.2.2).
 */
function endConnection({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.httpVersionMajor < 2) void reply.header('connection', 'close')
}
