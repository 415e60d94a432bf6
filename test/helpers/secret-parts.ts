/** How long a part of a secret is that nobody may print. */
const LENGTH = 12

/** What may be printed although it stands where a signature stands. */
const PUBLIC = 'SIGNATURE_REMOVED_BY_GOOGLE'

/**
 * Looks for parts of tokens in texts: any 12 characters of a signature, or of a payload as it is
 * encoded. (A claim as text, such as the email of the caller, is no secret.)
 */
export class SecretParts {
  readonly #parts = new Map<string, string>()

  /** How many different parts are looked for. */
  get size(): number {
    return this.#parts.size
  }

  /** Takes the second and third segment of each JWT that a header holds. */
  add(name: string, headerValue: string): void {
    for (const token of headerValue.split(/[ ,=\t]+/)) {
      const [header = '', ...secrets] = token.split('.')
      // A JSON object in base64url.
      if (!header.startsWith('eyJ')) continue
      for (const secret of secrets.filter((one) => one !== PUBLIC)) this.#addText(name, secret)
    }
  }

  /** Takes signatures only: a payload may be kept where its claims are. */
  addSignature(name: string, token: string): void {
    this.#addText(name, token.slice(token.lastIndexOf('.') + 1))
  }

  #addText(name: string, secret: string): void {
    for (let at = 0; at + LENGTH <= secret.length; at += 1) {
      this.#parts.set(secret.slice(at, at + LENGTH), name)
    }
  }

  /** Whose parts the text holds, each with the first part that was found. */
  foundIn(text: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    for (const { 0: run, index } of text.matchAll(/[\w+/-]{12,}/g)) {
      for (let at = 0; at + LENGTH <= run.length; at += 1) {
        const part = run.slice(at, at + LENGTH)
        const name = this.#parts.get(part)
        if (name === undefined || found.has(name)) continue
        const around = text.slice(Math.max(0, index + at - 60), index + at)
        found.set(name, `…${around}[${part.slice(0, 4)}…]`)
      }
    }
    return found
  }
}
