import { decodeJwt } from 'jose'
import { durationInWords } from '../../pacing/duration-in-words.ts'

/** What a token says about itself. Nothing of it is verified. */
export interface TokenClaims {
  readonly iss?: unknown
  readonly aud?: unknown
  readonly sub?: unknown
  readonly email?: unknown
  /** `issued 3 minutes ago`. */
  readonly times: readonly string[]
}

/** The claims of a token; `null` if it is none. */
export function claimsOf(token: string, now: number): TokenClaims | null {
  try {
    const { iss, aud, sub, email, iat, exp } = decodeJwt(token)
    const seconds = Math.floor(now / 1000)
    return { iss, aud, sub, email, times: [...issued(iat, seconds), ...expires(exp, seconds)] }
  } catch {
    return null
  }
}

function issued(iat: unknown, now: number): string[] {
  if (!isTime(iat)) return []
  return [
    iat <= now
      ? `issued ${durationInWords(now - iat)} ago`
      : `issued ${durationInWords(iat - now)} from now`,
  ]
}

function expires(exp: unknown, now: number): string[] {
  if (!isTime(exp)) return []
  return [
    exp <= now
      ? `expired ${durationInWords(now - exp)} ago`
      : `expires in ${durationInWords(exp - now)}`,
  ]
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
