import { tokenIn, type Presented } from './request-head.ts'

/** How the header that decides was found. */
export interface HeaderChoice {
  /** In lower case; `null` if there is none. */
  readonly header: string | null
  readonly why: string
}

const AUTHORIZATION = 'authorization'
const SERVERLESS = 'x-serverless-authorization'
/** Of Identity-Aware Proxy, in lower case. */
export const ASSERTION = 'x-goog-iap-jwt-assertion'

/** @param decides - the header that the verifier reads */
export function headerChoice(
  presented: Presented,
  decides: string | null,
  twinHeader: string,
): HeaderChoice {
  if ('token' in presented) {
    return {
      header: AUTHORIZATION,
      why: 'a token alone is verified as if it had come in Authorization',
    }
  }
  const { rawHeaders } = presented
  if (decides === null) return { header: null, why: nothingDecides(rawHeaders) }
  return { header: decides, why: WHY[decides] ?? whyAuthorization(rawHeaders, twinHeader) }
}

const WHY: Readonly<Record<string, string | undefined>> = {
  [ASSERTION]: 'X-Goog-IAP-JWT-Assertion decides alone wherever it is present, with the option iap',
  [SERVERLESS]:
    'X-Serverless-Authorization decides wherever it is present; another header counts only as its intact copy',
}

function whyAuthorization(rawHeaders: readonly string[], twinHeader: string): string {
  const ignored = namesOf(rawHeaders).filter(
    (name) => [twinHeader, ASSERTION].includes(name) && name !== AUTHORIZATION,
  )
  const others = ignored.map((name) => `; ${name} is not read here`)
  return `Authorization decides, because there is no X-Serverless-Authorization${others.join('')}`
}

function nothingDecides(rawHeaders: readonly string[]): string {
  const elsewhere = namesOf(rawHeaders).filter((_, i) => tokenIn(String(rawHeaders[2 * i + 1])))
  const found =
    elsewhere.length === 0
      ? ''
      : `; what looks like a token is in ${elsewhere.join()}, which nobody reads`
  return `neither Authorization nor X-Serverless-Authorization was sent${found}`
}

function namesOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
}
