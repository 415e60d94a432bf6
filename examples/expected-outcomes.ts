import type { TokenHeaders } from 'fastify-google-id-token/client'

/** What a caller learns of its call. */
export interface Outcome {
  status: number
  /** The header whose token let the caller in, and whether its signature was verified. */
  header?: 'authorization' | 'x-serverless-authorization'
  signatureVerified?: boolean
  /** Of the plugin's refusal. */
  code?: string
  /** Who refused, where it was not the service. */
  server?: 'Google Frontend'
}

/** What comes of a good token of an allowed caller behind Cloud Run's front end. */
export interface Rule {
  /** The option `tokenHeaders` of `createServiceClient`. Pushes send `authorization`. */
  sent: Extract<TokenHeaders, string>
  iamCheck: 'on' | 'off'
  outcome: Outcome
  /** The same with `trustRemovedSignature: true`. */
  trusting: Outcome
}

const verified: Outcome = { status: 200, header: 'authorization', signatureVerified: true }
const removed: Outcome = { status: 401, code: 'ID_TOKEN_SIGNATURE_REMOVED' }
const believed = (header: NonNullable<Outcome['header']>): Outcome => ({
  status: 200,
  header,
  signatureVerified: false,
})

const serverless = 'x-serverless-authorization'
const classic = 'authorization'

/** Whoever calls and whatever the credentials: the header and the IAM check alone decide. */
export const RULES: readonly Rule[] = [
  { sent: 'both', iamCheck: 'on', outcome: verified, trusting: verified },
  { sent: 'both', iamCheck: 'off', outcome: verified, trusting: verified },
  { sent: serverless, iamCheck: 'on', outcome: removed, trusting: believed(serverless) },
  { sent: serverless, iamCheck: 'off', outcome: removed, trusting: believed(serverless) },
  { sent: classic, iamCheck: 'on', outcome: removed, trusting: believed(classic) },
  { sent: classic, iamCheck: 'off', outcome: verified, trusting: verified },
]
