import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { UpgradeOffers } from './upgrade-offers.ts'

/** The connection of a client, for Node's HTTP server: without offers to upgrade. */
export class ClientConnection extends Duplex {
  readonly #socket: Socket
  readonly #offers = new UpgradeOffers()

  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#receive(this.#offers.remove(bytes))
    })
    socket.on('end', () => {
      this.#receive(this.#offers.end())
      this.push(null)
    })
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    // The server may no longer listen for errors. Without a listener they would end the process.
    this.on('error', () => undefined)
  }

  /** `undefined` once the client has reset the connection. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  /** Like `destroySoon` of a socket: ends, and closes when everything is written. */
  destroySoon(): void {
    this.end(() => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(
    bytes: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(bytes, done)
  }

  /** Data written together goes into one packet. */
  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #receive(bytes: Buffer): void {
    if (bytes.length > 0 && !this.push(bytes)) this.#socket.pause()
  }
}
