/**
 * Which token a request presents, beside the rules in their shortest form.
 *
 * Input: lines with a header each, as they come over a connection; a line `@NAME` names the header of
 * intact copies.
 */
import assert from 'node:assert/strict'
import { IdTokenError } from '../../src/errors/id-token-error.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import { parseTwinHeader } from '../../src/profiles/twin-header.ts'
import type { RequestHeaders } from '../../src/request/request-like.ts'
import { presentedToken } from '../../src/request/token-from-headers.ts'
import { expectedToken, type Pair } from '../../test/helpers/expected-token.ts'

export function fuzz(data: Buffer): void {
  const { pairs, twinHeader } = requestOf(data.toString('latin1'))
  const raw: RequestHeaders = { headers: {}, rawHeaders: pairs.flat() }
  const record = Object.assign(Object.create(null) as Record<string, string[]>)
  for (const [name, value] of pairs) (record[name] ??= []).push(value)
  const joined = joinedHeaders(pairs)
  for (const { presentation } of [GOOGLE_ID_TOKEN, IAP_ASSERTION]) {
    const outcomeOf = (request: RequestHeaders): unknown =>
      described(presentedToken(request, presentation, twinHeader))
    const expected = expectedToken(pairs, presentation, twinHeader)
    assert.deepEqual(outcomeOf(raw), expected, 'of rawHeaders')
    assert.deepEqual(outcomeOf({ headers: pairs }), expected, 'of pairs')
    assert.deepEqual(outcomeOf({ headers: record }), expected, 'of an object')
    // A WHATWG Headers cannot say that a header was sent twice. It has joined the two, and what is
    // joined is no token.
    if (joined !== null) {
      const ofJoined = expectedToken([...joined], presentation, twinHeader)
      assert.deepEqual(outcomeOf({ headers: joined }), ofJoined, 'of Headers')
      if (typeof expected === 'string')
        assert.ok(typeof ofJoined === 'string' || isRemoved(ofJoined))
    }
  }
}

function described(outcome: ReturnType<typeof presentedToken>): unknown {
  if (!(outcome instanceof IdTokenError)) return outcome
  assert.ok(JSON.stringify([outcome.detail, outcome.headers]).length < 1000)
  return outcome.code
}

function requestOf(text: string): { pairs: Pair[]; twinHeader: string } {
  const pairs: Pair[] = []
  let twinHeader = 'authorization'
  for (const line of text.split(/[\r\n]/)) {
    const colon = line.indexOf(':')
    if (line.startsWith('@')) twinHeader = twinOf(line.slice(1)) ?? twinHeader
    // Node's parser takes the spaces and tabs around a value away (RFC 9110 section 5.5).
    else if (colon > 0) {
      pairs.push([line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')])
    }
  }
  return { pairs, twinHeader }
}

function twinOf(name: string): string | null {
  try {
    return parseTwinHeader('twinHeader', name)
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'ID_TOKEN_OPTION_INVALID')
    return null
  }
}

function joinedHeaders(pairs: readonly Pair[]): Headers | null {
  try {
    return new Headers(pairs as [string, string][])
  } catch {
    return null
  }
}

/** A token that is accepted only from Cloud Run, whatever the header of intact copies holds. */
function isRemoved(outcome: unknown): boolean {
  return (outcome as { signatureRemoved?: unknown } | null)?.signatureRemoved === true
}
