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
  // Without its provider, an id of another could be taken for one of Google's.
  subject: { pattern: /^[^:]+:./s, described: 'a provider and an id, with a colon between them' },
  jwksUri: 'https://www.gstatic.com/iap/verify/public_key-jwk',
  issuers: ['https://cloud.google.com/iap'],
  clockTolerance: CLOCK_TOLERANCE,
  maxTokenLifetime: 600 + 2 * CLOCK_TOLERANCE,
  accountOf,
}

const GOOGLE = 'accounts.google.com:'

/**
 * Other providers choose the ids and emails of their identities as they like: an email of theirs is
 * no Google account's, and their ids keep the provider's name, which no entry of a list has. `gcip`
 * is there where Identity Platform stands behind IAP.
 */
function accountOf(claims: IdTokenClaims): Account {
  const { sub, email, email_verified: emailVerified } = claims
  if (!sub.startsWith(GOOGLE) || Object.hasOwn(claims, 'gcip')) {
    return { email: undefined, subject: sub }
  }
  // IAP has no such claim, and verifies every email; one that says otherwise is not believed.
  return { email: emailVerified === false ? undefined : email, subject: sub.slice(GOOGLE.length) }
}
