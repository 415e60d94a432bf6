/**
 * The bytes of one text after the other, in one buffer: a new buffer for each would cost as much as to
 * check the claims of a token.
 */
export class ReusedBytes {
  readonly #buffer = Buffer.allocUnsafeSlow(8192)
  #bytes = this.#buffer

  /** As many as fit into 8192. The next call overwrites them. */
  of(text: string, encoding: 'latin1' | 'base64url'): Buffer {
    const length = this.#buffer.write(text, encoding)
    // Most texts are as long as the one before.
    if (this.#bytes.length !== length) this.#bytes = this.#buffer.subarray(0, length)
    return this.#bytes
  }

  /** Overwrites the last bytes with zeros. */
  wipe(): void {
    this.#bytes.fill(0)
  }
}
