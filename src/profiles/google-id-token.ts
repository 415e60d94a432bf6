import { RS256 } from '../keys/signature-algorithms.ts'
import type { TokenProfile } from './token-profile.ts'

/** Google's ID token for service accounts (https://cloud.google.com/docs/authentication/token-types#id). */
export const GOOGLE_ID_TOKEN: TokenProfile = {
  source: 'id-token',
  presentation: {
    // X-Serverless-Authorization decides if it is present: on Cloud Run the IAM check reads it, and
    // then the caller can put anything into Authorization
    // (https://cloud.google.com/run/docs/authenticating/service-to-service).
    headers: ['x-serverless-authorization', 'authorization'],
    scheme: 'Bearer',
    checkedByCloudRun: true,
  },
  algorithm: RS256,
  subject: null,
  // https://accounts.google.com/.well-known/openid-configuration, `jwks_uri`
  jwksUri: 'https://www.googleapis.com/oauth2/v3/certs',
  // OpenID Connect Core section 2 requires the URL; Google's older tokens have only the host.
  issuers: ['https://accounts.google.com', 'accounts.google.com'],
  clockTolerance: 60,
  maxTokenLifetime: 86_400,
  accountOf: ({ email, email_verified: emailVerified, sub }) => ({
    email: emailVerified === true ? email : undefined,
    subject: sub,
  }),
}
