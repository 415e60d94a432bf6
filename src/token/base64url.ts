/**
 * Base64url as in RFC 7515 section 2: no padding, no other characters, and zeros in the unused bits
 * of the last character. Node's decoder accepts all of these deviations, so one token would have
 * many spellings.
 */
import { isUtf8 } from 'node:buffer'

/**
 * One buffer for all segments; it never leaves this module. A buffer for each segment costs more
 * than decoding.
 */
const decoded = Buffer.allocUnsafeSlow(8192)

/** Whether the segment is strict base64url of at least one byte. */
export function isBase64url(segment: string): boolean {
  return isUnambiguous(segment) && isDecodable(segment)
}

/**
 * Whether a token, or a segment, is free of the characters that Node reads as if they were others.
 * A token is asked once: to ask each of its segments costs as much as decoding them.
 */
export function isUnambiguous(text: string): boolean {
  return (
    // Of a character outside ASCII, Node reads only one byte.
    Buffer.byteLength(text) === text.length &&
    // Node also reads the characters of base64.
    !text.includes('+') &&
    !text.includes('/')
  )
}

/** Whether a segment of an unambiguous token is strict base64url of at least one byte. */
export function isDecodable(segment: string): boolean {
  const length = decode(segment)
  // The segment is a signature, and no part of a token may stay here between requests.
  decoded.fill(0, 0, length)
  return length > 0
}

/**
 * The decoded text of a segment of an unambiguous token; `null` if the segment is not strict
 * base64url, or the bytes are not UTF-8.
 */
export function decodeText(segment: string): string | null {
  const length = decode(segment)
  const text = decoded.toString('utf8', 0, length)
  // Invalid bytes become U+FFFD, so two different tokens would have the same text.
  const isText = !text.includes('\uFFFD') || isUtf8(decoded.subarray(0, length))
  return length > 0 && isText ? text : null
}

/** How many bytes `decoded` holds now: 0 if the segment is not strict base64url. */
function decode(segment: string): number {
  const length = decoded.write(segment, 'base64url')
  return isStrict(segment, length) ? length : 0
}

/**
 * This looks at the segment. Encoding the bytes again and comparing would cost more than the rest
 * of parsing a token.
 */
function isStrict(segment: string, decodedLength: number): boolean {
  const { length } = segment
  return (
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
