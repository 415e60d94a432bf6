import { durationInWords } from '../pacing/duration-in-words.ts'
import type { ReceivedIdToken } from './parse-id-token.ts'

/** The lifetime of Google's ID tokens, in milliseconds. */
const LIFETIME = 3_600_000

/** The clock of a token's issuer may be ahead by this many milliseconds without a warning. */
export const CLOCK_TOLERANCE = 60_000

/** Whether, by this clock, a token that arrives now has not expired and is not from the future. */
export function agreesWithClock(
  { expiresAt, issuedAt = 0 }: ReceivedIdToken,
  now: number,
): boolean {
  return now < expiresAt && issuedAt <= now + CLOCK_TOLERANCE
}

/**
 * Until when a token is sent, in milliseconds since the epoch by the clock of this machine.
 *
 * If that clock is wrong, `exp` says little. But no token is valid for more than an hour from now.
 */
export function usableUntil(received: ReceivedIdToken, now: number): number {
  if (agreesWithClock(received, now)) return received.expiresAt
  const longest = now + LIFETIME
  return received.expiresAt <= now ? longest : Math.min(received.expiresAt, longest)
}

/** What is probably wrong with the clock or with the source, for a log. */
export function clockWarning(
  { expiresAt, issuedAt = expiresAt - LIFETIME }: ReceivedIdToken,
  now: number,
): { finding: object; message: string } {
  const expiredSecondsAgo = seconds(now - expiresAt)
  const issuedSecondsAgo = seconds(now - issuedAt)
  if (expiredSecondsAgo < 0) {
    return {
      finding: { clockBehindSeconds: -issuedSecondsAgo },
      message: `The clock of this machine is ${durationInWords(-issuedSecondsAgo)} behind: by that clock, a new ID token was issued in the future`,
    }
  }
  // Either the source caches its tokens, or the clock is wrong; the token does not show which.
  const clock =
    issuedSecondsAgo * 1000 > CLOCK_TOLERANCE
      ? `that clock is ${durationInWords(issuedSecondsAgo)} ahead, or `
      : ''
  return {
    finding: { expiredSecondsAgo, issuedSecondsAgo },
    message: `By the clock of this machine, a new ID token had expired ${durationInWords(expiredSecondsAgo)} before it came: ${clock}the source of the tokens gives expired ones. The token is used all the same, and another one is fetched from time to time`,
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000)
}
