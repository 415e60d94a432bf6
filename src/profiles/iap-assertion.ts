import { ES256 } from '../keys/signature-algorithms.ts'
import type { Account } from '../policy/caller.ts'
import type { IdTokenClaims } from '../token/claims.ts'
import type { TokenProfile } from './token-profile.ts'

const CLOCK_TOLERANCE = 30

/**
 * What Identity-Aware Proxy says about who called it
 * (https://cloud.google.com/iap/docs/signed-headers-howto).
 */
export const IAP_ASSERTION: TokenProfile = {
  source: 'iap',
  presentation: {
    headers: ['x-goog-iap-jwt-assertion'],
    scheme: null,
    checkedByCloudRun: false,
  },
  algorithm: ES256,
  // Without the provider in front, the id of another provider could be taken for one of Google's.
  subject: { pattern: /^[^:]+:./s, described: 'a provider and an id, with a colon between them' },
  jwksUri: 'https://www.gstatic.com/iap/verify/public_key-jwk',
  issuers: ['https://cloud.google.com/iap'],
  clockTolerance: CLOCK_TOLERANCE,
  maxTokenLifetime: 600 + 2 * CLOCK_TOLERANCE,
  accountOf,
}

const GOOGLE = 'accounts.google.com:'

/**
 * Other providers choose the ids and emails of their identities as they like. So their emails are
 * ignored, and their ids keep the provider's name, which no entry of a list has. The claim `gcip`
 * is present if IAP uses Identity Platform.
 */
function accountOf(claims: IdTokenClaims): Account {
  const { sub, email, email_verified: emailVerified } = claims
  if (!sub.startsWith(GOOGLE) || Object.hasOwn(claims, 'gcip')) {
    return { email: undefined, subject: sub }
  }
  // IAP verifies every email and sends no such claim. If it is `false`, the email is ignored.
  return { email: emailVerified === false ? undefined : email, subject: sub.slice(GOOGLE.length) }
}
