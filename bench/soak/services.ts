import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FlappingEndpoint } from './endpoint.ts'
import type { Measured, ServiceSettings } from './service.ts'
import type { PUBLIC_KEYS } from './tokens.ts'

/** The endpoints of both kinds of keys. */
export type Endpoints = Readonly<Record<keyof typeof PUBLIC_KEYS, FlappingEndpoint>>

/** A service as the load sees it. */
export interface Target {
  /** Its name in the table. */
  readonly service: string
  readonly http2: boolean
  /** Whether it goes away and comes back all the time. */
  readonly restarts: boolean
  /** Its name at the key endpoints: another one after each start. */
  id: string
  port: number
  startedAt: number
  isUp: boolean
}

const file = fileURLToPath(new URL('service.ts', import.meta.url))

/** A child process with guarded services. */
export class ServiceProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Starts the process, and says in the targets where its services are. */
  static async start(targets: readonly Target[], endpoints: Endpoints): Promise<ServiceProcess> {
    const settings = targets.map((target): ServiceSettings => {
      const app =
        target.service === 'express' ? 'express' : target.http2 ? 'fastify-http2' : 'fastify'
      return {
        app,
        name: target.service,
        jwksUri: endpoints.idTokens.uriFor(target.id),
        iapJwksUri: endpoints.assertions.uriFor(target.id),
      }
    })
    const child = fork(file, [JSON.stringify(settings)], {
      execArgv: ['--import', 'tsx', '--expose-gc'],
    })
    const [{ ports }] = (await once(child, 'message')) as [{ ports: number[] }]
    for (const [index, target] of targets.entries()) {
      target.port = ports[index] ?? 0
      target.startedAt = performance.now()
      target.isUp = true
    }
    return new ServiceProcess(child)
  }

  async measure(): Promise<Measured> {
    this.#child.send('measure')
    const [{ measured }] = (await once(this.#child, 'message')) as [{ measured: Measured }]
    return measured
  }

  /** @param suddenly - without a word to its clients */
  async end(suddenly = false): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (suddenly) this.#child.kill('SIGKILL')
    else this.#child.send('end')
    await ended
  }
}
