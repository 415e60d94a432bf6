/**
 * Splits log output into its JSON texts, without parsing it: each line is one, or each element of an
 * array at the beginning of the input (`gcloud logging read --format=json` prints one array).
 *
 * It keeps at most one text, so its memory does not grow with the input. It works on bytes: in
 * UTF-8, no byte of a longer character looks like one of JSON's.
 */
export class JsonElements {
  readonly #longest: number
  #state: 'start' | 'bracket' | 'lines' | 'array' = 'start'
  /** Brackets that are open, in an array. */
  #depth = 0
  #inString = false
  #escaped = false
  #pending: Buffer[] = []
  #pendingLength = 0
  #tooLong = 0

  /** @param longest - bytes of the longest text that is kept */
  constructor(longest = 1024 * 1024) {
    this.#longest = longest
  }

  /** How many texts were longer than allowed, and were left out. */
  get tooLong(): number {
    return this.#tooLong
  }

  /** The texts that end in this chunk. */
  push(chunk: Buffer): Buffer[] {
    const texts: Buffer[] = []
    let position = 0
    while (position < chunk.length) {
      if (this.#state === 'start' || this.#state === 'bracket') {
        position = this.#begin(chunk, position)
      } else if (this.#state === 'array') position = this.#readArray(chunk, position, texts)
      else position = this.#readLine(chunk, position, texts)
    }
    return texts
  }

  /** The last text, which neither a newline nor a comma has ended. */
  end(): Buffer[] {
    const texts: Buffer[] = []
    this.#finish(texts)
    return texts
  }

  /**
   * Looks for an array of objects: only here, because a line of another program may begin with a
   * bracket.
   */
  #begin(chunk: Buffer, position: number): number {
    const byte = chunk[position] as number
    if (isBlank(byte) || BYTE_ORDER_MARK.includes(byte)) return position + 1
    if (this.#state === 'start' && byte === OPEN_ARRAY) {
      this.#state = 'bracket'
      return position + 1
    }
    const isArray = this.#state === 'bracket' && (byte === OPEN_OBJECT || byte === CLOSE_ARRAY)
    this.#state = isArray ? 'array' : 'lines'
    this.#depth = 1
    return position
  }

  #readLine(chunk: Buffer, start: number, texts: Buffer[]): number {
    const end = chunk.indexOf(NEWLINE, start)
    if (end === -1) {
      this.#keep(chunk.subarray(start))
      return chunk.length
    }
    this.#keep(chunk.subarray(start, end))
    this.#finish(texts)
    return end + 1
  }

  #readArray(chunk: Buffer, start: number, texts: Buffer[]): number {
    let from = start
    for (let position = start; position < chunk.length; position += 1) {
      if (!this.#endsElement(chunk[position] as number)) continue
      this.#keep(chunk.subarray(from, position))
      this.#finish(texts)
      from = position + 1
      if (this.#depth === 0) {
        // Another array may follow: two files, one after the other.
        this.#state = 'start'
        return from
      }
    }
    this.#keep(chunk.subarray(from))
    return chunk.length
  }

  /** Whether this byte ends an element: a comma of the array, or the bracket that closes it. */
  #endsElement(byte: number): boolean {
    if (this.#inString) this.#readString(byte)
    else if (byte === QUOTE) this.#inString = true
    else if (byte === COMMA) return this.#depth === 1
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.#depth += 1
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      this.#depth -= 1
      return this.#depth === 0
    }
    return false
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) this.#inString = false
  }

  #keep(part: Buffer): void {
    this.#pendingLength += part.length
    if (this.#pendingLength > this.#longest) this.#pending = []
    else this.#pending.push(part)
  }

  #finish(texts: Buffer[]): void {
    if (this.#pendingLength > this.#longest) this.#tooLong += 1
    const text = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingLength = 0
    if (!text.every(isBlank)) texts.push(text)
  }
}

const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09
}
