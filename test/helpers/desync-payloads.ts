/**
 * Requests that servers and proxies have read in different ways, so that a part of one became a request
 * of its own.
 *
 * The techniques are those with which the HTTP Garden has found bugs
 * (https://github.com/narfindustries/http-garden, `TROPHIES.md`). The requests are written for these
 * tests.
 */

/** What a payload is made of. */
export interface Parts {
  /** The target of the first request. */
  readonly target: string
  /** The header lines of a caller who is let in, each with its line end. */
  readonly token: string
  /** A whole request that must never arrive. */
  readonly smuggled: string
}

/** Bytes on one connection, as latin1. */
export interface Payload {
  readonly name: string
  readonly bytes: (parts: Parts) => string
  /** The method and the body with which the first request arrives. Default: it does not, or not whole. */
  readonly arrives?: (parts: Parts) => readonly [method: string, body: string]
  /**
   * The statuses of the answers; none where the server waits for more. Default: 400, after which
   * nothing is read.
   */
  readonly statuses?: readonly number[]
  /** What older versions of Node make of it, which is as good: two requests, each verified. */
  readonly older?: Expected
}

/** What is expected of a payload. */
export type Expected = Pick<Payload, 'arrives' | 'statuses' | 'older'>

/** The body is that of the first request, whatever it looks like. */
const AS_BODY: Expected = { arrives: ({ smuggled }) => ['POST', smuggled], statuses: [200] }
/** The smuggled request is one of its own, and its token is refused. */
const REFUSED: Expected = { arrives: () => ['POST', ''], statuses: [200, 401] }

const OLDER_REFUSED: Expected = { older: REFUSED }
/** The same with GET. */
const GOT: Expected = { arrives: () => ['GET', ''], statuses: [200, 401] }
const OLDER_GOT: Expected = { older: GOT }

/** A request of the caller, with these header lines and this body. */
function post({ target, token }: Parts, headers: string, body: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: a\r\n${token}${headers}\r\n${body}`
}

/** The smuggled request is the body, by a length that is spelled so. */
function sized(name: string, headers: (length: number) => string, expected?: Expected): Payload {
  const bytes = (parts: Parts): string =>
    post(parts, headers(parts.smuggled.length), parts.smuggled)
  return { name: `a length ${name}`, bytes, ...expected }
}

/** RFC 9112 section 6.3, and RFC 9110 section 8.6. */
const LENGTHS: readonly Payload[] = [
  sized('that is one number', (n) => `Content-Length: ${n}\r\n`, AS_BODY),
  sized('with zeros before it', (n) => `Content-Length: 00${n}\r\n`, AS_BODY),
  sized('twice', (n) => `Content-Length: 0\r\nContent-Length: ${n}\r\n`),
  sized('twice, the other way', (n) => `Content-Length: ${n}\r\nContent-Length: 0\r\n`),
  sized('as a list', (n) => `Content-Length: 0, ${n}\r\n`),
  sized('with a sign', (n) => `Content-Length: +${n}\r\n`),
  sized('below zero', (n) => `Content-Length: -${n}\r\n`),
  sized('in hexadecimal', (n) => `Content-Length: 0x${n.toString(16)}\r\n`),
  sized('with underscores', (n) => `Content-Length: ${[...String(n)].join('_')}\r\n`),
  sized('with a letter after it', (n) => `Content-Length: ${n}Z\r\n`),
  sized('with a fraction', (n) => `Content-Length: ${n}.0\r\n`),
  sized('that is empty', () => 'Content-Length: \r\n'),
  sized('that is empty, and a second one', (n) => `Content-Length:\r\nContent-Length: ${n}\r\n`),
  sized('of more than 64 bits', (n) => `Content-Length: ${2n ** 64n + BigInt(n)}\r\n`),
  sized('on a continued line', (n) => `Content-Length: 0\r\n ${n}\r\n`),
  sized('with a space before the colon', (n) => `Content-Length : ${n}\r\n`),
  sized('with a tab before its name', (n) => `\tContent-Length: ${n}\r\n`),
  sized('with a byte over 0x80 in its name', (n) => `Content-Length\x85: ${n}\r\n`),
  sized('with a NUL in its name', (n) => `Content-Length\0: ${n}\r\n`),
  sized('with a no-break space', (n) => `Content-Length: \xa0${n}\r\n`),
  sized('with a NUL after it', (n) => `Content-Length: ${n}\0\r\n`),
  sized('without a colon', (n) => `Content-Length ${n}\r\n`),
  sized('behind a bare CR', (n) => `X: a\rContent-Length: ${n}\r\n`),
  sized('behind a bare LF', (n) => `X: a\nContent-Length: ${n}\r\n`),
]

/** The body is the last chunk, if the coding that is spelled so counts; else the smuggled request is a part of it. */
function coded(name: string, headers: string, expected?: Expected): Payload {
  const bytes = (parts: Parts): string => post(parts, headers, `0\r\n\r\n${parts.smuggled}`)
  return { name: `a coding ${name}`, bytes, ...expected }
}

/** RFC 9112 sections 6.1 and 6.3. */
const CODINGS: readonly Payload[] = [
  coded('that is chunked', 'Transfer-Encoding: chunked\r\n', REFUSED),
  coded('in upper case', 'Transfer-Encoding: CHUNKED\r\n', REFUSED),
  coded('after a length', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
  coded('before a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
  coded('after an empty element', 'Transfer-Encoding: ,chunked\r\n', REFUSED),
  coded(
    'after an empty element, and a length',
    'Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n',
  ),
  coded('twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
  coded('that is identity', 'Transfer-Encoding: identity\r\n'),
  coded('that nobody knows', 'Transfer-Encoding: blegh\r\n'),
  coded('that only ends in chunked', 'Transfer-Encoding: notchunked\r\n'),
  coded('after chunked', 'Transfer-Encoding: chunked, gzip\r\n'),
  coded('with a parameter', 'Transfer-Encoding: chunked;q=1\r\n'),
  coded('in quotes', 'Transfer-Encoding: "chunked"\r\n'),
  coded('between no-break spaces', 'Transfer-Encoding: \xa0chunked\xa0\r\n'),
  coded('after a byte over 0x80', 'Transfer-Encoding: \xffchunked\r\n'),
  coded('after a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n'),
  coded('with a NUL after it', 'Transfer-Encoding: chunked\0\r\n'),
  coded('whose name goes on on the next line', 'Transfer-\r\nEncoding: chunked\r\n'),
  coded('with a space before the colon', 'Transfer-Encoding : chunked\r\n'),
  coded('with a space before its name', ' Transfer-Encoding: chunked\r\n'),
  coded('behind a bare CR', 'X: a\rTransfer-Encoding: chunked\r\n'),
]

/** A chunked body of these bytes. */
function chunked(name: string, body: (parts: Parts) => string, expected?: Expected): Payload {
  const bytes = (parts: Parts): string => post(parts, 'Transfer-Encoding: chunked\r\n', body(parts))
  return { name: `a chunk ${name}`, bytes, ...expected }
}

/** One chunk that holds the smuggled request, with its size spelled so. */
function holding(name: string, size: (hex: string) => string, expected?: Expected): Payload {
  const body = ({ smuggled }: Parts): string =>
    `${size(smuggled.length.toString(16))}\r\n${smuggled}\r\n0\r\n\r\n`
  return chunked(name, body, expected)
}

/** RFC 9112 section 7.1. */
const CHUNKS: readonly Payload[] = [
  holding('that is a request', (hex) => hex, AS_BODY),
  holding('with zeros before its size', (hex) => `0000${hex}`, AS_BODY),
  holding('with an extension', (hex) => `${hex};a="0 0"`, AS_BODY),
  holding('with a 0x', (hex) => `0x${hex}`),
  holding('with a plus', (hex) => `+${hex}`),
  holding('with an underscore', (hex) => `0_${hex}`),
  holding('of more than 64 bits', (hex) => `${'f'.repeat(16)}${hex}`),
  holding('with two CR in an extension', (hex) => `${hex};a=b\r\rX`),
  holding('with a bare LF in an extension', (hex) => `${hex};a\nb`),
  chunked('of minus zero', ({ smuggled }) => `-0\r\n\r\n${smuggled}`),
  chunked('with a space before its size', ({ smuggled }) => ` 0\r\n\r\n${smuggled}`),
  chunked('with a letter after its size', ({ smuggled }) => `0z\r\n\r\n${smuggled}`),
  chunked('with a NUL after its size', ({ smuggled }) => `0\0\r\n\r\n${smuggled}`),
  chunked('without a size', ({ smuggled }) => `\r\n\r\n${smuggled}`),
  chunked('with a bare LF after its size', ({ smuggled }) => `0\n\r\n${smuggled}`),
  chunked(
    'with a bare CR after its size',
    ({ smuggled }) => `0\rX\r\n\r\n${smuggled}`,
    OLDER_REFUSED,
  ),
  chunked('that is longer than it says', ({ smuggled }) => `1\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunked('without a line end after it', ({ smuggled }) => `1\r\na0\r\n\r\n${smuggled}`),
  chunked('with a bare LF after it', ({ smuggled }) => `1\r\na\n0\r\n\r\n${smuggled}`),
  chunked('that is no chunk', ({ smuggled }) => `INVALID\r\n${smuggled}`),
  chunked('that is the last, and begins a trailer', ({ smuggled }) => `0\r\nX:${smuggled}`, {
    arrives: () => ['POST', ''],
    statuses: [200],
  }),
  chunked(
    'that is the last, and a token as a trailer',
    ({ token, smuggled }) => `0\r\n${token}\r\n${smuggled}`,
    REFUSED,
  ),
  chunked(
    'that is the last, and a length as a trailer',
    ({ smuggled }) => `0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    OLDER_REFUSED,
  ),
]

/** The start of a request of the caller that is spelled so, and the smuggled request after it. */
function headed(name: string, lines: (parts: Parts) => string, expected?: Expected): Payload {
  return { name, bytes: (parts) => `${lines(parts)}\r\n\r\n${parts.smuggled}`, ...expected }
}

/** A head with this line at its end. */
function lined(name: string, line: string, expected?: Expected): Payload {
  return headed(
    name,
    ({ target, token }) => `GET ${target} HTTP/1.1\r\nHost: a\r\n${token}${line}`,
    expected,
  )
}

/** A head with this line at its start. */
function started(name: string, line: (target: string) => string, expected?: Expected): Payload {
  return headed(name, ({ target, token }) => `${line(target)}\r\nHost: a\r\n${token}X: y`, expected)
}

/** RFC 9112 sections 2.2, 3 and 5. */
const HEADS: readonly Payload[] = [
  lined('a request without a token after it', 'X: y', GOT),
  lined('names with underscores', 'Content_Length: 99\r\nTransfer_Encoding: chunked', GOT),
  lined('a value without a name', ': y', OLDER_GOT),
  lined('neither name nor value', ':', OLDER_GOT),
  lined('a line without a colon', 'X'),
  lined('a bare CR in a value', 'X: a\rb'),
  lined('a bare LF in a value', 'X: a\nb: c'),
  lined('a NUL in a value', 'X: a\0b'),
  lined('a NUL in a name', 'X\0: y'),
  lined('a byte over 0x80 in a name', '\xefX: y'),
  lined('separators in a name', 'X(y): z'),
  lined('a head that ends in CR and a letter', 'X: y\r\n\rZ', OLDER_GOT),
  lined('a token whose name has a space', 'Authorization : Bearer x', OLDER_GOT),
  lined('a token that Connection names', 'Connection: X-Serverless-Authorization', GOT),
  started('empty lines before a request', (target) => `\r\n\r\nGET ${target} HTTP/1.1`, GOT),
  started('a method in lower case', (target) => `get ${target} HTTP/1.1`),
  started('separators in a method', (target) => `G="(),/:;<=>?@[]{}" ${target} HTTP/1.1`),
  started('a method of NUL', (target) => `\0 ${target} HTTP/1.1`),
  started('bytes before a method', (target) => `\x16\x03GET ${target} HTTP/1.1`),
  started('a NUL in a target', (target) => `GET ${target}\0x HTTP/1.1`),
  started('a space in a target', (target) => `GET ${target} /x HTTP/1.1`),
  started('LF in a request line', (target) => `GET ${target}\nHTTP/1.1`),
  started('CR in a version', (target) => `GET ${target} HTTP/\r\r1.1`),
  started('a version with more digits', (target) => `GET ${target} HTTP/1.32`),
  started('a version that overflows', (target) => `GET ${target} HTTP/4294967297.1`),
  started('the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n'),
  headed('no Host', ({ target, token }) => `GET ${target} HTTP/1.1\r\n${token}X: y`),
  headed(
    'a bare LF after every line',
    ({ target, token }) => `GET ${target} HTTP/1.1\nHost: a\n${token.replaceAll('\r', '')}\n`,
  ),
]

/** An offer that the front end takes away (RFC 9110 section 7.8), and what looks like one. */
const OFFERS: readonly Payload[] = [
  sized(
    'and an upgrade',
    (n) => `Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${n}\r\n`,
    AS_BODY,
  ),
  ...['Content-Length: 45\r\n', 'Transfer-Encoding: chunked\r\n'].map((framing): Payload => {
    const body = 'GET /x HTTP/1.1\r\nUpgrade: h2c\r\nHost: a\r\n\r\nabc'
    const sent = framing.startsWith('C') ? body : `2d\r\n${body}\r\n0\r\n\r\n`
    return {
      name: `an upgrade in a body with ${framing.trim()}`,
      bytes: (parts) => post(parts, framing, sent),
      arrives: () => ['POST', body],
      statuses: [200],
    }
  }),
]

/** All of them. */
export const PAYLOADS: readonly Payload[] = [...LENGTHS, ...CODINGS, ...CHUNKS, ...HEADS, ...OFFERS]
