/**
 * The parser of tokens, beside what jose decodes.
 *
 * Input: a token; or, on three lines, a header and a payload, which are encoded here, and a signature
 * as it is sent.
 */
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import { parseToken } from '../../src/token/parse-token.ts'

export function fuzz(data: Buffer): void {
  const token = tokenOf(data)
  const decoded = decodedByJose(token)
  for (const shape of [GOOGLE_ID_TOKEN, IAP_ASSERTION]) {
    const parsed = parseToken(token, shape)
    const isExpected =
      decoded !== null &&
      decoded.header.alg === shape.algorithm.alg &&
      areClaims(decoded.claims) &&
      (shape === GOOGLE_ID_TOKEN || /^[^:]+:[^]/.test(String(decoded.claims.sub)))
    if (parsed instanceof IdTokenError) {
      assert.equal(isExpected, false, `refused: ${parsed.code} ${token}`)
      assertRefusal(parsed, token)
      continue
    }
    assert.equal(isExpected, true, `parsed: ${token}`)
    assert.deepEqual(parsed.header, decoded?.header)
    assert.deepEqual(parsed.claims, decoded?.claims)
    assert.equal(`${parsed.signingInput}.${parsed.signature}`, token)
    assert.equal(parsed.kid, typeof decoded?.header.kid === 'string' ? decoded.header.kid : '')
  }
}

function tokenOf(data: Buffer): string {
  const first = data.indexOf('\n')
  const second = data.indexOf('\n', first + 1)
  if (first === -1 || second <= first) return data.toString()
  const parts = [data.subarray(0, first), data.subarray(first + 1, second)]
  const encoded = parts.map((part) => part.toString('base64url'))
  return [...encoded, data.toString('utf8', second + 1)].join('.')
}

interface Decoded {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** What jose decodes, where a token has the one spelling that it may have, and no extension. */
function decodedByJose(token: string): Decoded | null {
  const segments = token.split('.')
  if (token.length > 8192 || segments.length !== 3 || !segments.every(isStrict)) return null
  if (!segments.slice(0, 2).every(isJsonText)) return null
  try {
    const header = decodeProtectedHeader(token) as Decoded['header']
    return 'crit' in header ? null : { header, claims: decodeJwt(token) }
  } catch {
    return null
  }
}

function isStrict(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
}

/** UTF-8, and without the byte order mark that jose takes away (RFC 8259 section 8.1). */
function isJsonText(segment: string): boolean {
  const bytes = Buffer.from(segment, 'base64url')
  return isUtf8(bytes) && !bytes.toString().startsWith('\uFEFF')
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isTime = (value: unknown): boolean => Number.isFinite(value)

function areClaims(claims: Decoded['claims']): boolean {
  const { iss, aud, sub, iat, exp, nbf = 0, azp = 'x', email = 'x' } = claims
  const { email_verified: verified = true } = claims
  return (
    [iss, aud, sub, azp, email].every(isText) &&
    [iat, exp, nbf].every(isTime) &&
    typeof verified === 'boolean'
  )
}

/** A segment that is shorter may be part of a word. */
const SHORTEST_SEGMENT = 24

/** A refusal describes itself, and shows no part of the token. */
function assertRefusal(error: IdTokenError, token: string): void {
  assert.match(error.code, /^ID_TOKEN_(?:MALFORMED|ALGORITHM_NOT_ALLOWED)$/)
  const shown = JSON.stringify([error.message, error.detail, error.headers, error.statusCode])
  const contents = token.split('.').map((segment) => Buffer.from(segment, 'base64url').toString())
  for (const segment of token.split('.')) {
    // A claim may quote what it likes.
    const isQuoted = contents.some((content) => content.includes(segment))
    if (segment.length < SHORTEST_SEGMENT || isQuoted) continue
    assert.equal(shown.includes(segment), false, `shown: ${shown}`)
  }
}
