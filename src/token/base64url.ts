/**
 * The bytes of a base64url segment, or `null` where it is not strictly spelled: RFC 7515 section 2
 * knows no padding, no other characters, and leaves the unused bits of the last one zero. Node's
 * own decoder accepts all of these, so one token would have many spellings.
 */
export function decodeBase64url(segment: string): Buffer | null {
  const bytes = Buffer.from(segment, 'base64url')
  return segment !== '' && bytes.toString('base64url') === segment ? bytes : null
}
