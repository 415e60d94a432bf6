import { refusal, type IdTokenError } from '../errors/id-token-error.ts'
import type { DecidingHeader } from './deciding-header.ts'

// RFC 9110 section 11.4: credentials = auth-scheme 1*SP token68, the scheme in any case. There are
// reports that Google's front ends write "bearer".
function credentials(value: string): [scheme: string, rest: string] {
  const end = value.search(/[ \t]|$/)
  return [value.slice(0, end).toLowerCase(), value.slice(end).replace(/^ +/, '')]
}

/** Schemes that a log may name; anything else may be a token that was sent without its scheme. */
const KNOWN_SCHEMES = /^(?:basic|digest|negotiate|ntlm|dpop|hoba|mutual|oauth|apikey|token|jwt)$/

/** The token, if the value is exactly `<scheme> <token>`; without a scheme, the token alone. */
export function tokenIn(value: string, scheme: string | null): string | undefined {
  if (scheme === null) return isOneToken(value, 0) ? value : undefined
  // The usual spelling needs no regular expression.
  const start = scheme.length + 1
  if (value.startsWith(scheme) && value[start - 1] === ' ' && isOneToken(value, start)) {
    return value.slice(start)
  }
  const [sent, rest] = credentials(value)
  return sent === scheme.toLowerCase() && isOneToken(rest, 0) ? rest : undefined
}

/**
 * The one token of the header that decides, or `ID_TOKEN_SCHEME_UNSUPPORTED` or
 * `ID_TOKEN_REQUEST_MALFORMED`.
 *
 * @param scheme - what stands before the token; `null`: nothing does
 */
export function bearerToken(
  { name, value }: DecidingHeader,
  scheme: string | null,
): string | IdTokenError {
  const token = tokenIn(value, scheme)
  if (token !== undefined) return token
  if (scheme === null) return notOneToken(`${name}: <token>`, value)
  const [sent, rest] = credentials(value)
  const expected = `${name}: ${scheme} <token>`
  if (sent !== scheme.toLowerCase()) {
    return refusal('ID_TOKEN_SCHEME_UNSUPPORTED', { expected, found: schemeShown(sent) })
  }
  return notOneToken(expected, rest)
}

function notOneToken(expected: string, sent: string): IdTokenError {
  return refusal('ID_TOKEN_REQUEST_MALFORMED', {
    expected,
    found: sent === '' ? 'no token' : 'more than one token',
  })
}

/**
 * A comma separates tokens: proxies join repeated headers with a comma, and no token contains one.
 */
function isOneToken(text: string, start: number): boolean {
  return (
    text.length > start &&
    !text.includes(' ', start) &&
    !text.includes(',', start) &&
    !text.includes('\t', start)
  )
}

function schemeShown(scheme: string): string {
  if (scheme === '') return 'an empty header'
  return KNOWN_SCHEMES.test(scheme) ? scheme : 'no known scheme'
}
