import { IdTokenError } from '../verdict/id-token-error.ts'
import { decodeText, isBase64url } from './base64url.ts'
import { claimsProblem, type IdTokenClaims } from './claims.ts'

/** A token taken apart; nothing about it is verified yet. */
export interface ParsedToken {
  /** Empty where the header names no key, which is no key's id. */
  readonly kid: string
  readonly claims: IdTokenClaims
  /** The first two segments with the dot, which is what is signed (RFC 7515 section 5.1). */
  readonly signingInput: string
  /** The third segment, which is strict base64url. */
  readonly signature: string
}

type JsonObject = Readonly<Record<string, unknown>>

const LONGEST_TOKEN = 8192

/**
 * What a caller in JavaScript passes as a token may be anything.
 *
 * @throws IdTokenError `ID_TOKEN_MALFORMED`
 */
export function acceptToken(value: unknown): string {
  if (typeof value !== 'string') throw malformed('a token as a string', typeof value)
  return value
}

/**
 * Takes a token apart: a JWS in compact serialization (RFC 7515 section 5.2) with alg RS256.
 *
 * @throws IdTokenError `ID_TOKEN_MALFORMED` or `ID_TOKEN_ALGORITHM_NOT_ALLOWED`
 */
export function parseToken(token: string): ParsedToken {
  const [headerSegment, payloadSegment, signatureSegment] = threeSegments(token)
  const header = joseHeader(headerSegment)
  const claims = jsonObject('payload', payloadSegment)
  acceptSignature(header, signatureSegment)
  // RFC 7515 section 4.1.11: extensions that must be understood, and none is.
  if (Object.hasOwn(header, 'crit')) throw malformed('a header without crit', 'crit')
  const problem = claimsProblem(claims)
  if (problem !== null) throw malformed(problem.expected, problem.found)
  // RFC 8725 section 3.1: the algorithm is ours to choose, never the token's.
  if (header.alg !== 'RS256') {
    throw new IdTokenError('ID_TOKEN_ALGORITHM_NOT_ALLOWED', {
      expected: 'RS256',
      found: header.alg ?? 'no alg',
    })
  }
  return {
    kid: typeof header.kid === 'string' ? header.kid : '',
    claims: claims as IdTokenClaims,
    signingInput: token.slice(0, -signatureSegment.length - 1),
    signature: signatureSegment,
  }
}

/** All tokens of one key have the same header to the letter: the last few are remembered. */
const knownHeaders = new Map<string, JsonObject>()
const REMEMBERED = 8
const LONGEST_REMEMBERED = 256

function joseHeader(segment: string): JsonObject {
  const known = knownHeaders.get(segment)
  if (known !== undefined) return known
  const header = jsonObject('header', segment)
  if (segment.length <= LONGEST_REMEMBERED) {
    if (knownHeaders.size >= REMEMBERED) knownHeaders.clear()
    knownHeaders.set(segment, header)
  }
  return header
}

function threeSegments(token: string): [header: string, payload: string, signature: string] {
  if (token.length > LONGEST_TOKEN) {
    throw malformed(`at most ${LONGEST_TOKEN} characters`, token.length)
  }
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (second <= first) throw malformed('three segments', 'fewer')
  if (token.includes('.', second + 1)) throw malformed('three segments', 'more')
  return [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)]
}

function jsonObject(part: 'header' | 'payload', segment: string): JsonObject {
  const text = decodeText(segment)
  if (text === null) throw malformed(`${part}: UTF-8 in strict base64url`, 'something else')
  const object = jsonObjectOf(text)
  if (object === undefined) throw malformed(`${part}: a JSON object`, 'something else')
  return object
}

/** `undefined` where the text is something else. */
function jsonObjectOf(text: string): JsonObject | undefined {
  const trimmed = text.trim()
  // Nothing but an object begins and ends so. An error of JSON.parse costs more than all else here,
  // and this spares most garbage from it.
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined
  let object: JsonObject | undefined
  const { stackTraceLimit } = Error
  // Nobody reads the stack of that error; see IdTokenError.
  Error.stackTraceLimit = 0
  try {
    object = JSON.parse(text) as JsonObject
  } catch {
    object = undefined
  }
  Error.stackTraceLimit = stackTraceLimit
  return object
}

function acceptSignature(header: JsonObject, segment: string): void {
  // RFC 7518 section 3.6: an unsecured JWS has an empty signature. Its shape is right; its
  // algorithm, which is judged next, is not.
  if (segment === '' && header.alg === 'none') return
  if (!isBase64url(segment)) throw malformed('signature: strict base64url', 'something else')
}

function malformed(expected: string, found: unknown): IdTokenError {
  return new IdTokenError('ID_TOKEN_MALFORMED', { expected, found })
}
