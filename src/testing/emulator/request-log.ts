/** The requests to the emulator, without their credentials. */
import type { FastifyRequest } from 'fastify'
import { endpointAt } from './endpoint-names.ts'
import type { LoggedRequest } from './logged-request.ts'

type Entry = { -readonly [Field in keyof LoggedRequest]: LoggedRequest[Field] }

const LONGEST_LOG = 10_000
/** A JWT, or an access token of this emulator, in an unexpected place. */
const CREDENTIAL = /eyJ[\w-]*(?:\.[\w-]*)+|ya29\.[\w-]+|1\/\/[\w-]+/g

/** The latest requests, the oldest first. */
export class RequestLog {
  readonly #entries: Entry[] = []
  readonly #entryOf = new WeakMap<FastifyRequest, Entry>()
  readonly #clock: () => Date
  readonly #answered: (request: LoggedRequest) => void

  /**
   * @param clock - the emulator's
   * @param answered - is called with each request that has an answer
   */
  constructor(clock: () => Date, answered: (request: LoggedRequest) => void) {
    this.#clock = clock
    this.#answered = answered
  }

  /** The current entries. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries.map((entry) => ({ ...entry }))
  }

  /** Adds a request that has arrived. */
  add(request: FastifyRequest, path: string): void {
    const entry: Entry = {
      time: this.#clock(),
      method: request.method,
      path: withoutCredentials(path),
      endpoint: endpointAt(path),
      audience: undefined,
      status: undefined,
    }
    this.#entryOf.set(request, entry)
    if (this.#entries.push(entry) > LONGEST_LOG) this.#entries.shift()
  }

  /** Adds the audience of the requested ID token. */
  addAudience(request: FastifyRequest, audience: string): void {
    Object.assign(this.#entryOf.get(request) as Entry, { audience: withoutCredentials(audience) })
  }

  /** Adds the status of the answer. */
  addStatus(request: FastifyRequest, status: number): void {
    this.#answered(Object.assign(this.#entryOf.get(request) as Entry, { status }))
  }
}

/** What looks like a token is replaced. */
export function withoutCredentials(text: string): string {
  return text.replace(CREDENTIAL, '[credential]')
}
