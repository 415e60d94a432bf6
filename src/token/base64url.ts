/**
 * Strict base64url (RFC 7515 section 2): no padding, no other characters, and zeros in the unused
 * bits of the last character. Node's decoder also accepts texts that break these rules, so one
 * token would have many spellings.
 */
import { isUtf8 } from 'node:buffer'
import { ReusedBytes } from './reused-bytes.ts'

/** One buffer for all texts; it never leaves this module. A buffer for each costs more than decoding. */
const decoded = Buffer.allocUnsafeSlow(8192)

/** Whether the segment is strict base64url of at least one byte. */
export function isBase64url(segment: string): boolean {
  const isGood = isUnambiguous(segment) && decodeSignature(segment) !== null
  forgetSignature()
  return isGood
}

const TWO_BYTES = /[\u0100-\uFFFF]/

/**
 * Whether a token, or a segment, is free of the characters that Node reads as if they were others.
 * Called once for a whole token: to call it for each segment would cost as much as decoding them.
 */
export function isUnambiguous(text: string): boolean {
  return (
    // Of a character above U+00FF, Node reads only the lower byte. V8 knows at once whether a
    // string has any.
    !TWO_BYTES.test(text) &&
    // Node also reads the characters of base64.
    !text.includes('+') &&
    !text.includes('/')
  )
}

/** The bytes of one signature, and its segment. */
const signatureBytes = new ReusedBytes()
let bytes: Uint8Array = new Uint8Array()
let bytesOf = ''

/**
 * The bytes of the signature of an unambiguous token, at least one; `null` if the segment is not
 * strict base64url. The next call may overwrite them. A segment that comes twice in a row is
 * decoded once: it is needed when a token is parsed, and again when its signature is verified.
 */
export function decodeSignature(segment: string): Uint8Array | null {
  if (segment !== bytesOf) {
    bytes = signatureBytes.of(segment, 'base64url')
    bytesOf = segment
  }
  return isStrict(segment, bytes.length) ? bytes : null
}

/** Empties the buffer, so that no signature stays in memory between requests. */
export function forgetSignature(): void {
  signatureBytes.wipe()
  bytesOf = ''
}

/**
 * The decoded text of a segment of an unambiguous token; `null` if the segment is not strict
 * base64url, or the bytes are not UTF-8.
 */
export function decodeText(segment: string): string | null {
  const length = decoded.write(segment, 'base64url')
  const text = decoded.toString('utf8', 0, length)
  // Invalid bytes become U+FFFD, so two different tokens would have the same text.
  const isText = !text.includes('\uFFFD') || isUtf8(decoded.subarray(0, length))
  return isStrict(segment, length) && isText ? text : null
}

/**
 * Whether a segment that was decoded is strict base64url of at least one byte. Only the segment is
 * looked at: to encode the bytes again and compare would cost more than the rest of parsing a token.
 */
function isStrict(segment: string, decodedLength: number): boolean {
  const { length } = segment
  return (
    decodedLength > 0 &&
    // Node skips characters that it cannot read, also padding.
    decodedLength === Math.floor((length * 3) / 4) &&
    (LAST_CHARACTERS[length % 4]?.includes(segment.charAt(length - 1)) ?? true)
  )
}

/**
 * The accepted last characters, whose unused bits are zero, by how many characters are in the last
 * group of four.
 */
const LAST_CHARACTERS: readonly (string | undefined)[] = [
  undefined,
  // One character alone is less than a byte.
  '',
  'AQgw',
  'AEIMQUYcgkosw048',
]
