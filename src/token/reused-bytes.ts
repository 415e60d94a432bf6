/**
 * Encodes one text after the other into one buffer. A new buffer for each would cost as much as the
 * check of the claims of a token.
 */
export class ReusedBytes {
  readonly #buffer = Buffer.allocUnsafeSlow(8192)
  #bytes = this.#buffer

  /** The bytes of a text, at most 8192. The next call overwrites them. */
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
