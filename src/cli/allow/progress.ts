import type { Io } from '../io.ts'

const MEGABYTE = 1_000_000
/** Milliseconds between two updates on a terminal. */
const INTERVAL = 200

/** How far a long input has been read: one line of a terminal, or a line every 100 MB. */
export class Progress {
  readonly #io: Io
  readonly #shown: boolean
  #bytes = 0
  #due: number

  /** @param always - also where standard error is no terminal */
  constructor(io: Io, always: boolean) {
    this.#io = io
    this.#shown = always || io.stderr.isTTY === true
    this.#due = this.#isTerminal ? io.now() + INTERVAL : 100 * MEGABYTE
  }

  /** Counts bytes that have been read. */
  add(bytes: number, auditLines: number): void {
    this.#bytes += bytes
    const reached = this.#isTerminal ? this.#io.now() : this.#bytes
    if (!this.#shown || reached < this.#due) return
    this.#due = reached + (this.#isTerminal ? INTERVAL : 100 * MEGABYTE)
    this.#print(auditLines)
  }

  /** The last update. */
  end(auditLines: number): void {
    if (!this.#shown) return
    this.#print(auditLines)
    if (this.#isTerminal) this.#io.stderr.write('\n')
  }

  #print(auditLines: number): void {
    const text = `${(this.#bytes / MEGABYTE).toFixed(1)} MB read, ${auditLines.toLocaleString('en-US')} lines of the audit log`
    this.#io.stderr.write(this.#isTerminal ? `\r${text}` : `${text}\n`)
  }

  get #isTerminal(): boolean {
    return this.#io.stderr.isTTY === true
  }
}
