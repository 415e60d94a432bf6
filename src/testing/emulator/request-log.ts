/** What was asked of the emulator, without the credentials. */
import type { FastifyRequest } from 'fastify'
import { endpointAt } from './endpoints.ts'
import type { LoggedRequest } from './logged-request.ts'

type Entry = { -readonly [Field in keyof LoggedRequest]: LoggedRequest[Field] }

const LONGEST_LOG = 10_000
/** A JWT, or an access token of this emulator, in a place where none belongs. */
const CREDENTIAL = /eyJ[\w-]*(?:\.[\w-]*)+|ya29\.[\w-]+|1\/\/[\w-]+/g

/** The latest requests, the oldest first. */
export class RequestLog {
  readonly #entries: Entry[] = []
  readonly #entryOf = new WeakMap<FastifyRequest, Entry>()
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

  /** The request asks for an ID token. */
  addAudience(request: FastifyRequest, audience: string): void {
    Object.assign(this.#entryOf.get(request) as Entry, { audience: withoutCredentials(audience) })
  }

  /** The request is answered. */
  addStatus(request: FastifyRequest, status: number): void {
    Object.assign(this.#entryOf.get(request) as Entry, { status })
  }
}

function withoutCredentials(text: string): string {
  return text.replace(CREDENTIAL, '[credential]')
}
