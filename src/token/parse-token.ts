import { IdTokenError, refusal } from '../errors/id-token-error.ts'
import { decodeSignature, decodeText, isUnambiguous } from './base64url.ts'
import type { TokenSource } from '../errors/recognised-mistakes.ts'
import { ownCopy } from './own-copy.ts'
import { claimsProblem, evidenceOf, type IdTokenClaims, type SubjectForm } from './claims.ts'

/** A parsed token; nothing of it is verified yet. */
export interface ParsedToken {
  readonly header: JsonObject
  /** The header as it is encoded. */
  readonly headerSegment: string
  /** Empty if the header names no key. No key has this id. */
  readonly kid: string
  readonly claims: IdTokenClaims
  /** The first two segments with the dot, which is what is signed (RFC 7515 section 5.1). */
  readonly signingInput: string
  /** The third segment, which is strict base64url. */
  readonly signature: string
}

/** What a token of one kind must be, before its signature is verified. */
export interface TokenShape {
  readonly source: TokenSource
  /** What it must be signed with. */
  readonly algorithm: { readonly alg: string }
  /** What its `sub` must look like; `null`: like anything. */
  readonly subject: SubjectForm | null
}

type JsonObject = Readonly<Record<string, unknown>>

const LONGEST_TOKEN = 8192

/**
 * `ID_TOKEN_MALFORMED` for a value that is not a string: a program in JavaScript may pass anything.
 */
export function typeRefusal(value: unknown): IdTokenError | null {
  return typeof value === 'string' ? null : malformed('a token as a string', typeof value)
}

/**
 * Parses a token: a JWS in compact serialization (RFC 7515 section 5.2).
 *
 * @returns the parts, or `ID_TOKEN_MALFORMED` or `ID_TOKEN_ALGORITHM_NOT_ALLOWED`
 */
export function parseToken(token: string, shape: TokenShape): ParsedToken | IdTokenError {
  const segments = threeSegments(token)
  if (segments instanceof IdTokenError) return segments
  const [headerSegment, payloadSegment, signature] = segments
  const header = joseHeader(headerSegment)
  if (header instanceof IdTokenError) return header
  const claims = jsonObject('payload', payloadSegment)
  if (claims instanceof IdTokenError) return claims
  const refused =
    signatureRefusal(header, signature) ??
    extensionRefusal(header) ??
    claimsRefusal(claims, shape) ??
    algorithmRefusal(header, shape, claims as IdTokenClaims)
  if (refused !== null) return refused
  return {
    header,
    headerSegment,
    kid: typeof header.kid === 'string' ? header.kid : '',
    claims: claims as IdTokenClaims,
    signingInput: token.slice(0, -signature.length - 1),
    signature,
  }
}

/**
 * All tokens of one key have exactly the same header. The last few headers are remembered, but only
 * those of verified tokens, so that nobody can push them out with other tokens.
 */
const knownHeaders: { readonly segment: string; readonly header: JsonObject }[] = []
const REMEMBERED = 8
const LONGEST_REMEMBERED = 256

/** Remembers the header of a token whose signature is verified, so that it is not parsed again. */
export function rememberHeader({ header, headerSegment }: ParsedToken): void {
  // Most often it is the very object that is remembered.
  if (knownHeaders.some((known) => known.header === header)) return
  if (headerSegment.length > LONGEST_REMEMBERED || knownHeader(headerSegment) !== undefined) return
  if (knownHeaders.length >= REMEMBERED) knownHeaders.length = 0
  knownHeaders.push({ segment: ownCopy(headerSegment), header })
}

/** To compare a few strings costs less than the hash of one, which a `Map` would need. */
function knownHeader(segment: string): JsonObject | undefined {
  for (const known of knownHeaders) if (known.segment === segment) return known.header
  return undefined
}

function joseHeader(segment: string): JsonObject | IdTokenError {
  return knownHeader(segment) ?? jsonObject('header', segment)
}

function threeSegments(
  token: string,
): [header: string, payload: string, signature: string] | IdTokenError {
  if (token.length > LONGEST_TOKEN) {
    return malformed(`at most ${LONGEST_TOKEN} characters`, token.length)
  }
  if (!isUnambiguous(token)) return malformed('strict base64url', 'something else')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (second <= first) return malformed('three segments', 'fewer')
  if (token.includes('.', second + 1)) return malformed('three segments', 'more')
  return [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)]
}

function jsonObject(part: 'header' | 'payload', segment: string): JsonObject | IdTokenError {
  const text = decodeText(segment)
  if (text === null) return malformed(`${part}: UTF-8 in strict base64url`, 'something else')
  return jsonObjectOf(text) ?? malformed(`${part}: a JSON object`, 'something else')
}

/** `undefined` if the text is something else. */
function jsonObjectOf(text: string): JsonObject | undefined {
  // Only an object begins and ends like this. An error of JSON.parse costs more than everything
  // else here, and most garbage is refused without it.
  if (!isInBraces(text) && !isInBraces(text.trim())) return undefined
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return undefined
  }
}

function isInBraces(text: string): boolean {
  return text.startsWith('{') && text.endsWith('}')
}

function signatureRefusal(header: JsonObject, segment: string): IdTokenError | null {
  // RFC 7518 section 3.6: an unsecured JWS has an empty signature. Its shape is right; a later check
  // refuses its algorithm.
  if (segment === '' && header.alg === 'none') return null
  return decodeSignature(segment) === null
    ? malformed('signature: strict base64url', 'something else')
    : null
}

/** RFC 7515 section 4.1.11: extensions that the verifier must understand. It understands none. */
function extensionRefusal(header: JsonObject): IdTokenError | null {
  return Object.hasOwn(header, 'crit') ? malformed('a header without crit', 'crit') : null
}

function claimsRefusal(claims: JsonObject, { subject }: TokenShape): IdTokenError | null {
  const problem = claimsProblem(claims, subject)
  return problem === null ? null : malformed(problem.expected, problem.found)
}

/** RFC 8725 section 3.1: the verifier chooses the algorithm, never the token. */
function algorithmRefusal(
  { alg }: JsonObject,
  { algorithm, source }: TokenShape,
  claims: IdTokenClaims,
): IdTokenError | null {
  if (alg === algorithm.alg) return null
  return refusal('ID_TOKEN_ALGORITHM_NOT_ALLOWED', {
    expected: algorithm.alg,
    found: alg ?? 'no alg',
    evidence: () => evidenceOf(claims, source),
  })
}

function malformed(expected: string, found: unknown): IdTokenError {
  return refusal('ID_TOKEN_MALFORMED', { expected, found })
}
