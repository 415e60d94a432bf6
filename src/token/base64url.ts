/**
 * Base64url as RFC 7515 section 2 has it: no padding, no other characters, and the unused bits of the
 * last one zero. Node's own decoder accepts all of these, so one token would have many spellings.
 */
import { isUtf8 } from 'node:buffer'

/** One for all, and nothing of it is handed out: a buffer for each segment costs more than decoding. */
const decoded = Buffer.allocUnsafeSlow(8192)

/** Whether the segment is strict base64url of at least one byte. */
export function isBase64url(segment: string): boolean {
  const length = decode(segment)
  // A signature is asked about: nothing that makes a token stays here between requests.
  decoded.fill(0, 0, length)
  return length > 0
}

/** The text that the segment is strict base64url of; `null` where it is none, or is no UTF-8. */
export function decodeText(segment: string): string | null {
  const length = decode(segment)
  const text = decoded.toString('utf8', 0, length)
  // Undecodable bytes become U+FFFD, and two different tokens would say the same.
  const isText = !text.includes('\uFFFD') || isUtf8(decoded.subarray(0, length))
  return length > 0 && isText ? text : null
}

/** How many bytes there are now in `decoded`: none where the segment is not strictly spelled. */
function decode(segment: string): number {
  const length = decoded.write(segment, 'base64url')
  return isStrict(segment, length) ? length : 0
}

/**
 * Asked of the segment rather than by spelling its bytes anew, which would cost more than the rest
 * of parsing a token.
 */
function isStrict(segment: string, decodedLength: number): boolean {
  const { length } = segment
  return (
    // Characters that Node cannot read, padding among them, it leaves out.
    decodedLength === Math.floor((length * 3) / 4) &&
    // Beyond ASCII it reads half of a character.
    Buffer.byteLength(segment) === length &&
    // It reads base64 as well.
    !segment.includes('+') &&
    !segment.includes('/') &&
    (LAST_CHARACTERS[length % 4]?.includes(segment.charAt(length - 1)) ?? true)
  )
}

/** By how many characters there are in the last group of four: those whose unused bits are zero. */
const LAST_CHARACTERS: readonly (string | undefined)[] = [
  undefined,
  // One character is less than a byte.
  '',
  'AQgw',
  'AEIMQUYcgkosw048',
]
