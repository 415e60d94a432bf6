/** What was asked of the emulator, without the credentials. */
import type { FastifyRequest } from 'fastify'
import { endpointAt, type EndpointName } from './endpoints.ts'

/** One request, as the log keeps it: no query, no header, no body. */
export interface LoggedRequest {
  readonly time: Date
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `undefined` where nothing is at that path. */
  readonly endpoint: EndpointName | undefined
  /** Of the ID token that was asked for; `undefined` where none was. */
  readonly audience: string | undefined
  /** `undefined` as long as there is no answer, and where there never is one. */
  readonly status: number | undefined
}

type Entry = { -readonly [Field in keyof LoggedRequest]: LoggedRequest[Field] }

const LONGEST_LOG = 10_000
/** A JWT, or an access token of this emulator, in a place where none belongs. */
const CREDENTIAL = /eyJ[\w-]*(?:\.[\w-]*)+|ya29\.[\w-]+|1\/\/[\w-]+/g

/** The latest requests, the oldest first. */
export class RequestLog {
  readonly #entries: Entry[] = []
  readonly #byRequest = new WeakMap<FastifyRequest, Entry>()
  readonly #clock: () => Date

  /** @param clock - the emulator's */
  constructor(clock: () => Date) {
    this.#clock = clock
  }

  /** As of now. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries.map((entry) => ({ ...entry }))
  }

  /** A request has come. */
  add(request: FastifyRequest, path: string): void {
    const entry = {
      time: this.#clock(),
      method: request.method,
      path: withoutCredentials(path),
      endpoint: endpointAt(path),
      audience: undefined,
      status: undefined,
    }
    this.#byRequest.set(request, entry)
    if (this.#entries.push(entry) > LONGEST_LOG) this.#entries.shift()
  }

  /** The request asks for an ID token. */
  addAudience(request: FastifyRequest, audience: string): void {
    this.#complete(request, { audience: withoutCredentials(audience) })
  }

  /** The request is answered. */
  addStatus(request: FastifyRequest, status: number): void {
    this.#complete(request, { status })
  }

  #complete(request: FastifyRequest, more: Partial<Entry>): void {
    Object.assign(this.#byRequest.get(request) ?? {}, more)
  }
}

function withoutCredentials(text: string): string {
  return text.replace(CREDENTIAL, '[credential]')
}
