/** Faults of endpoints. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from './fault.ts'
import { parseFault } from './parse-fault.ts'
import { parseEndpoint, appliesTo, type FaultyEndpoint } from './endpoint-names.ts'

/** The faults of an emulator. */
export class Faults {
  #faults: { readonly endpoint: FaultyEndpoint; readonly fault: Fault; left: number }[] = []
  readonly #closing = new AbortController()

  /**
   * Adds a fault to an endpoint. It takes precedence over earlier ones.
   *
   * @returns a function that ends the fault
   */
  add(endpoint: unknown, value: unknown): () => void {
    const fault = parseFault(value)
    const entry = { endpoint: parseEndpoint(endpoint), fault, left: fault.times ?? Infinity }
    this.#faults.unshift(entry)
    return () => {
      this.#faults = this.#faults.filter((one) => one !== entry)
    }
  }

  /** Applies the fault of the endpoint to a request, if there is one. */
  async apply(path: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const entry = this.#faults.find(({ endpoint, left }) => left > 0 && appliesTo(endpoint, path))
    if (entry === undefined) return
    entry.left -= 1
    await this.#wait(entry.fault.delayMs ?? 0)
    fail(entry.fault, request, reply)
  }

  /** Ends every delay. */
  close(): void {
    this.#closing.abort()
  }

  /** A client that still waits when the emulator closes has lost its connection. */
  async #wait(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return
    await sleep(milliseconds, undefined, { signal: this.#closing.signal }).catch(() => undefined)
  }
}

function fail(fault: Fault, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body, hang = false, reset = false } = fault
  if (hang || reset) {
    reply.hijack()
    if (reset) request.raw.socket.resetAndDestroy()
  } else if (status !== undefined || body !== undefined) {
    send(reply.code(status ?? 200), body)
  }
}

function send(reply: FastifyReply, body: unknown): void {
  if (body === undefined) reply.send()
  else if (typeof body === 'string') reply.type('text/plain; charset=utf-8').send(body)
  else reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}
