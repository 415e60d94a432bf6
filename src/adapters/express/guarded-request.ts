import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../../checks/injected.ts'
import type { IdTokenError } from '../../errors/id-token-error.ts'
import type { Caller } from '../../policy/caller.ts'
import type { GuardedRequest } from '../request-guard.ts'
import { whenRouted, type RouteNames } from './route-names.ts'

/** What a middleware gets. */
export interface MiddlewareCall {
  readonly request: IncomingMessage & { caller?: Caller | null; originalUrl?: string }
  readonly response: ServerResponse
  readonly next: (error?: unknown) => void
}

/** What all requests of one app share. */
export interface GuardedApp {
  /** The option `logger`. */
  readonly logger: Logger | undefined
  readonly routes: RouteNames
}

/** A request of Express as the guard needs it. A class, because its functions are made once. */
export class GuardedExpressRequest implements GuardedRequest {
  readonly raw: IncomingMessage
  /** As it arrived: handlers may change it before a late report. */
  readonly method: string
  readonly log: Logger
  readonly #call: MiddlewareCall
  readonly #app: GuardedApp

  constructor(call: MiddlewareCall, app: GuardedApp) {
    this.raw = call.request
    // A request that a server has received has a method.
    this.method = call.request.method as string
    this.log = loggerOf(call.request, app.logger) ?? NO_LOG
    this.#call = call
    this.#app = app
  }

  get route(): string | undefined {
    return this.#app.routes.of(this.raw)
  }

  get target(): string | undefined {
    return this.route ?? pathOf(this.#call.request)
  }

  get appLog(): Logger {
    return this.#app.logger ?? this.log
  }

  whenRouted(run: () => void): void {
    whenRouted(this.raw, this.#call.response, run)
  }

  accept(caller: Caller | null): void {
    this.#call.request.caller = caller
  }

  refuse({ headers }: IdTokenError): void {
    const { response } = this.#call
    // The application may have answered already, without waiting for the keys.
    if (response.headersSent) return
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  }

  next(error?: unknown): void {
    this.#call.next(error)
  }
}

/** For an application without a logger: refusals still go to its error handler. */
const NO_LOG: Logger = { warn: () => undefined }

/** A request that may have a logger of pino-http. */
export type LoggedRequest = IncomingMessage & { log?: Partial<Logger> }

/** The logger of a request, or that of the option. */
export function loggerOf({ log }: LoggedRequest, logger: Logger | undefined): Logger | undefined {
  return typeof log?.warn === 'function' ? (log as Logger) : logger
}

/** Express keeps `originalUrl` while a router removes its prefix from `url`. */
function pathOf({ url, originalUrl = url }: MiddlewareCall['request']): string | undefined {
  return originalUrl
}
