import type { PresentedToken, Presentation } from '../../src/request/token-from-headers.ts'

/** A header as it was sent. */
export type Pair = readonly [name: string, value: string]

const REMOVED = '.SIGNATURE_REMOVED_BY_GOOGLE'

/** Which token a request presents, by the rules in their shortest form: a token with its header, `null`, or the code of a refusal. */
export function expectedToken(
  pairs: readonly Pair[],
  { headers, scheme, checkedByCloudRun }: Presentation,
  twinHeader: string,
): PresentedToken | string | null {
  const header = headers.find((name) => valuesOf(pairs, name).length > 0)
  if (header === undefined) return null
  const [value = '', ...others] = valuesOf(pairs, header)
  if (others.length > 0) return 'ID_TOKEN_REQUEST_MALFORMED'
  const token = tokenIn(value, scheme)
  if (token === undefined) {
    const isOtherScheme = scheme !== null && !/^bearer(?:[ \t]|$)/i.test(value)
    return isOtherScheme ? 'ID_TOKEN_SCHEME_UNSUPPORTED' : 'ID_TOKEN_REQUEST_MALFORMED'
  }
  const signatureRemoved = checkedByCloudRun && token.endsWith(REMOVED)
  const presented = { token, header, signatureRemoved }
  if (!signatureRemoved || header === 'authorization') return presented
  return intactCopy(valuesOf(pairs, twinHeader), { token, scheme, twinHeader }) ?? presented
}

function valuesOf(pairs: readonly Pair[], wanted: string): string[] {
  return pairs.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
}

function intactCopy(
  copies: readonly string[],
  { token, scheme, twinHeader }: { token: string; scheme: string | null; twinHeader: string },
): PresentedToken | string | undefined {
  if (copies.length > 1) return 'ID_TOKEN_REQUEST_MALFORMED'
  const copy = tokenIn(copies[0] ?? '', scheme)
  const signed = /^([^.]+\.[^.]+\.)SIGNATURE_REMOVED_BY_GOOGLE$/.exec(token)?.[1]
  if (copy === undefined || signed === undefined || copy.endsWith(REMOVED)) return undefined
  return copy.startsWith(signed)
    ? { token: copy, header: twinHeader, signatureRemoved: false }
    : undefined
}

function tokenIn(value: string, scheme: string | null): string | undefined {
  return (scheme === null ? /^([^ \t,]+)$/ : /^bearer +([^ \t,]+)$/i).exec(value)?.[1]
}
