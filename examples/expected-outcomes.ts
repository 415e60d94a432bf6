import type { TokenHeaders } from 'fastify-google-id-token/client'

/** What a caller learns of its call. */
export interface Outcome {
  status: number
  /** The header whose token let the caller in, and whether its signature was verified. */
  header?: 'authorization' | 'x-serverless-authorization' | 'x-profiles-token'
  signatureVerified?: boolean
  /** Of the plugin's refusal. */
  code?: string
  /** Who refused, where it was not the service. */
  server?: 'Google Frontend'
}

/** The twin's header of a service: the default, or one of its own. */
export type TwinHeader = 'authorization' | 'x-profiles-token'

/** What comes of a good token of an allowed caller behind Cloud Run's front end. */
export interface Rule {
  /** The option `tokenHeaders` of `createServiceClient`. Pushes send `authorization`. */
  sent: TokenHeaders
  iamCheck: 'on' | 'off'
  /** The option `twinHeader` of the service. */
  twinHeader: TwinHeader
  outcome: Outcome
  /** The same with `trustRemovedSignature: true`. */
  trusting: Outcome
}

const verifiedFrom = (header: NonNullable<Outcome['header']>): Outcome => ({
  status: 200,
  header,
  signatureVerified: true,
})
const removed: Outcome = { status: 401, code: 'ID_TOKEN_SIGNATURE_REMOVED' }
const believedFrom = (header: NonNullable<Outcome['header']>): Outcome => ({
  status: 200,
  header,
  signatureVerified: false,
})

const serverless = 'x-serverless-authorization'
const classic = 'authorization'
const own = 'x-profiles-token'

/** The token in X-Serverless-Authorization, and its intact copy in a header of the service. */
export const TWIN = { twin: own } as const satisfies TokenHeaders

const verified = { outcome: verifiedFrom(classic), trusting: verifiedFrom(classic) }
const verifiedTwin = { outcome: verifiedFrom(own), trusting: verifiedFrom(own) }
const serverlessRemoved = { outcome: removed, trusting: believedFrom(serverless) }
const classicRemoved = { outcome: removed, trusting: believedFrom(classic) }

/** The headers and the IAM check alone decide, for every caller and for all credentials. */
export const RULES: readonly Rule[] = [
  { twinHeader: classic, sent: 'both', iamCheck: 'on', ...verified },
  { twinHeader: classic, sent: 'both', iamCheck: 'off', ...verified },
  { twinHeader: classic, sent: serverless, iamCheck: 'on', ...serverlessRemoved },
  { twinHeader: classic, sent: serverless, iamCheck: 'off', ...serverlessRemoved },
  { twinHeader: classic, sent: classic, iamCheck: 'on', ...classicRemoved },
  { twinHeader: classic, sent: classic, iamCheck: 'off', ...verified },
  { twinHeader: classic, sent: TWIN, iamCheck: 'on', ...serverlessRemoved },
  { twinHeader: classic, sent: TWIN, iamCheck: 'off', ...serverlessRemoved },

  // Where the twin is looked for in another header, Authorization is the application's own.
  { twinHeader: own, sent: 'both', iamCheck: 'on', ...serverlessRemoved },
  { twinHeader: own, sent: 'both', iamCheck: 'off', ...serverlessRemoved },
  { twinHeader: own, sent: serverless, iamCheck: 'on', ...serverlessRemoved },
  { twinHeader: own, sent: serverless, iamCheck: 'off', ...serverlessRemoved },
  { twinHeader: own, sent: classic, iamCheck: 'on', ...classicRemoved },
  { twinHeader: own, sent: classic, iamCheck: 'off', ...verified },
  { twinHeader: own, sent: TWIN, iamCheck: 'on', ...verifiedTwin },
  { twinHeader: own, sent: TWIN, iamCheck: 'off', ...verifiedTwin },
]

/** The rule for this way to call a service. */
export function ruleOf(wanted: Pick<Rule, 'sent' | 'iamCheck' | 'twinHeader'>): Rule {
  const rule = RULES.find(
    ({ sent, iamCheck, twinHeader }) =>
      sent === wanted.sent && iamCheck === wanted.iamCheck && twinHeader === wanted.twinHeader,
  )
  if (rule === undefined) throw new Error(`No rule for ${JSON.stringify(wanted)}`)
  return rule
}
