/** Loads servers from outside, at a fixed rate over 50 connections that are kept alive. Argument: the tokens' file. */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { readTokens } from '../tokens.ts'
import { answerQuestions } from './subject.ts'

/** Which server to load, and how. */
export interface LoadQuestion {
  readonly port: number
  readonly perSecond: number
  readonly milliseconds: number
}

const CONNECTIONS = 50
/** Milliseconds between two looks at the clock. */
const TICK = 2

const [tokenFile = ''] = process.argv.slice(2)
const [token = ''] = (await readTokens(tokenFile)).repeated
const request = Buffer.from(
  `GET / HTTP/1.1\r\nhost: search.run.app\r\nauthorization: Bearer ${token}\r\n\r\n`,
)

/** The connections to each server: opened once, so that no turn pays for it. */
const poolOf = new Map<number, Pool>()

/** Answers how many requests were answered. */
answerQuestions(async ({ port, perSecond, milliseconds }: LoadQuestion): Promise<number> => {
  const pool = poolOf.get(port) ?? (await Pool.open(port))
  poolOf.set(port, pool)
  const start = performance.now()
  const total = Math.round((perSecond * milliseconds) / 1000)
  let sent = 0
  while (sent < total) {
    pool.assertWhole()
    const due = Math.min(total, Math.ceil(((performance.now() - start) * perSecond) / 1000))
    while (sent < due && pool.send()) sent += 1
    // A server that cannot keep up is given the next request as soon as a connection is idle.
    await (sent < due ? setImmediate() : setTimeout(TICK))
  }
  await pool.answered()
  return total
})

/** Connections with at most one request under way on each. */
class Pool {
  readonly #idle: Socket[]
  readonly #size: number
  #failure: Error | undefined

  constructor(sockets: readonly Socket[]) {
    this.#idle = [...sockets]
    this.#size = sockets.length
    for (const socket of sockets) {
      // A response this small comes in one piece.
      socket.on('data', (response) => {
        if (response.toString('latin1', 0, 12) !== 'HTTP/1.1 200') {
          this.#failure ??= new Error(response.toString())
        }
        this.#idle.push(socket)
      })
      socket.on('close', () => {
        this.#failure ??= new Error('a connection was closed')
      })
    }
  }

  static async open(port: number): Promise<Pool> {
    const sockets = Array.from({ length: CONNECTIONS }, () =>
      connect({ port, host: '127.0.0.1', noDelay: true }),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    return new Pool(sockets)
  }

  /** Sends a request over the connection that has been idle for longest; `false` where none is. */
  send(): boolean {
    const socket = this.#idle.shift()
    socket?.write(request)
    return socket !== undefined
  }

  /** @throws Error where a connection has failed */
  assertWhole(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async answered(): Promise<void> {
    while (this.#idle.length < this.#size && this.#failure === undefined) {
      await setTimeout(TICK)
    }
    this.assertWhole()
  }
}
