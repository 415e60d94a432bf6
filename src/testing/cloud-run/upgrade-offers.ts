import { MAX_HEADER_SIZE } from './pass-on.ts'

/** The part of a request that the next byte belongs to. */
type Part = 'head' | 'body' | 'chunk size' | 'trailers' | 'unread'

/** The end of a line, and of a head (RFC 9112 section 2.1). */
const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'

/**
 * What is left to Node: a start that is not that of a request, a line that ends without CR, a
 * header that continues on the next line (RFC 9112 sections 2.2 and 5.2).
 */
const UNUSUAL = /^(?![A-Z]+(?: |$))|(?<!\r)\n|\n[\t ]/

/**
 * Removes from a stream of requests every offer of another protocol than WebSocket.
 *
 * A server may ignore an offer (RFC 9110 section 7.8), and Java's HttpClient offers HTTP/2 with
 * every request. But Node stops reading HTTP after a request with an offer: versions of Node treat
 * its body differently, and all of them lose the requests in the same packet. So the offer must be
 * removed before Node reads it.
 *
 * This reads only what it needs: where a head and a body end. It passes on anything else unread,
 * with all that follows, and Node decides.
 */
export class UpgradeOffers {
  #part: Part = 'head'
  /** Bytes that have arrived and are not passed on yet. */
  #held: Buffer = Buffer.alloc(0)
  /** Bytes until the end of the body, or of the chunk and the line end after it. */
  #left = 0
  #afterBody: Part = 'head'

  /** @returns the bytes that can be passed on now, without offers */
  remove(bytes: Buffer): Buffer {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const passed: Buffer[] = []
    while (this.#held.length > 0) {
      const next = this.#next()
      if (next === null) break
      passed.push(next)
    }
    return Buffer.concat(passed)
  }

  /** @returns the bytes that were held back, at the end of the stream */
  end(): Buffer {
    return this.#take(this.#held.length)
  }

  /** @returns the next bytes to pass on, or `null` where more must come first */
  #next(): Buffer | null {
    switch (this.#part) {
      case 'head':
        return this.#head()
      case 'body':
        return this.#body()
      case 'chunk size':
        return this.#line((size) => {
          this.#startChunk(size)
        })
      case 'trailers':
        return this.#line((trailer) => {
          if (trailer === '') this.#part = 'head'
        })
      case 'unread':
        return this.#take(this.#held.length)
    }
  }

  #head(): Buffer | null {
    const end = this.#held.indexOf(HEAD_END)
    const lines = this.#held.toString('latin1', 0, end === -1 ? undefined : end)
    if (UNUSUAL.test(lines)) return this.#unread()
    if (end === -1) return this.#wait()
    const head = new Head(lines)
    this.#startBody(head)
    const taken = this.#take(end + HEAD_END.length)
    return head.isWebSocket || head.upgrade === undefined ? taken : head.withoutOffer()
  }

  #startBody(head: Head): void {
    const length = head.value('content-length')
    const coding = head.value('transfer-encoding')
    if (head.isWebSocket || head.isConnect) this.#part = 'unread'
    else if (coding !== undefined) this.#part = /chunked$/i.test(coding) ? 'chunk size' : 'unread'
    else if (length === undefined || /^0+$/.test(length)) this.#part = 'head'
    else this.#expect(length, 0, 10, 'head')
  }

  #startChunk(line: string): void {
    const size = line.replace(/;.*/s, '')
    if (/^0+$/.test(size)) this.#part = 'trailers'
    else this.#expect(size, LINE_END.length, 16, 'chunk size')
  }

  /** A body, or a chunk, of this length, and bytes after it that belong to it. */
  #expect(length: string, more: number, radix: 10 | 16, then: Part): void {
    const isNumber = radix === 10 ? /^\d+$/ : /^[\da-f]+$/i
    this.#part = isNumber.test(length) ? 'body' : 'unread'
    this.#left = Number.parseInt(length, radix) + more
    this.#afterBody = then
  }

  #body(): Buffer {
    const taken = this.#take(Math.min(this.#left, this.#held.length))
    this.#left -= taken.length
    if (this.#left === 0) this.#part = this.#afterBody
    return taken
  }

  #line(read: (line: string) => void): Buffer | null {
    const end = this.#held.indexOf(LINE_END)
    if (end === -1) return this.#wait()
    read(this.#held.toString('latin1', 0, end))
    return this.#take(end + LINE_END.length)
  }

  /** Node refuses a longer head, so it need not be held back. */
  #wait(): Buffer | null {
    return this.#held.length > MAX_HEADER_SIZE ? this.#unread() : null
  }

  #unread(): Buffer {
    this.#part = 'unread'
    return this.#take(this.#held.length)
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return taken
  }
}

/** The parts of a request's head that say what it offers and where its body ends. */
class Head {
  readonly #lines: readonly string[]

  constructor(lines: string) {
    this.#lines = lines.split(LINE_END)
  }

  get upgrade(): string | undefined {
    return this.value('upgrade')
  }

  get isConnect(): boolean {
    return String(this.#lines[0]).startsWith('CONNECT ')
  }

  /** The opening handshake of RFC 6455 section 4.1, which has no body. */
  get isWebSocket(): boolean {
    return (
      String(this.#lines[0]).startsWith('GET ') &&
      /^websocket$/i.test(this.upgrade ?? '') &&
      this.value('content-length') === undefined &&
      this.value('transfer-encoding') === undefined
    )
  }

  /** Values of a repeated header are one list (RFC 9110 section 5.3). */
  value(name: string): string | undefined {
    const lines = this.#lines.filter((line) => isOf(line, name))
    const values = lines.map((line) => line.slice(name.length + 1).trim())
    return values.length === 0 ? undefined : values.join(', ')
  }

  withoutOffer(): Buffer {
    const lines = this.#lines.filter((line) => !isOf(line, 'upgrade'))
    return Buffer.from(lines.join(LINE_END) + HEAD_END, 'latin1')
  }
}

function isOf(line: string, name: string): boolean {
  return line.slice(0, name.length + 1).toLowerCase() === `${name}:`
}
