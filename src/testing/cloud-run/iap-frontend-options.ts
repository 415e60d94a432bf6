import { parseObjectWith } from '../../checks/injected.ts'
import { invalidOption, parseNames } from '../../checks/invalid-option.ts'
import { parseIapAudiences } from '../../verifier/iap-options.ts'
import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { TestIssuer } from '../issuer/test-issuer.ts'
import { parseInvokers, type Invokers } from './invokers.ts'

/** Identity-Aware Proxy before the service. */
export interface IapFrontendOptions {
  /** What IAP protects: the `aud` of its assertions, and what the service has in `iap.audience`. */
  audience: string
  /**
   * Who has `roles/iap.httpsResourceAccessor`, as IAM spells it: `user:EMAIL`,
   * `serviceAccount:EMAIL`, `allAuthenticatedUsers`; and what `allowedCallers` takes.
   */
  members: readonly AllowedCaller[]
  /** Signs its assertions, and the token with which it calls Cloud Run: a test issuer, or the emulator. */
  issuer: Pick<TestIssuer, 'iapAssertion' | 'idToken'>
  /**
   * IAP's OAuth client: the audience of the ID token that callers send in `Authorization`. Default
   * `iap.apps.googleusercontent.com`.
   */
  clientId?: string | undefined
}

/** Parsed options. */
export interface IapSettings {
  readonly audience: string
  readonly members: Invokers
  readonly issuer: IapFrontendOptions['issuer']
  readonly clientId: string
  /** The account with which IAP calls Cloud Run. */
  readonly agent: string
  /** The audience of the token with which IAP calls Cloud Run. */
  readonly serviceAudience: string
}

const NAMES = [
  'audience',
  'members',
  'issuer',
  'clientId',
] as const satisfies (keyof IapFrontendOptions)[]

const ISSUER = 'a test issuer or the emulator, with iapAssertion() and idToken()'

/**
 * Parses the option `iap`; `null` if it is missing.
 *
 * @throws TypeError naming what is wrong
 */
export function parseIapFrontend(value: unknown, serviceAudience: string): IapSettings | null {
  if (value === undefined) return null
  const options = parseNames('iap', value, NAMES)
  const { clientId = 'iap.apps.googleusercontent.com' } = options
  if (typeof clientId !== 'string' || clientId === '') {
    throw invalidOption('iap.clientId', clientId, 'the id of an OAuth client')
  }
  const [audience = '', ...others] = parseIapAudiences(options.audience).configured
  if (others.length > 0) throw invalidOption('iap.audience', options.audience, 'one audience')
  const members = parseInvokers('iap.members', options.members)
  if (members === null) {
    throw invalidOption('iap.members', options.members, 'members whom IAP can name: not allUsers')
  }
  parseObjectWith('iap.issuer', options.issuer ?? null, 'idToken', ISSUER)
  const issuer = parseObjectWith('iap.issuer', options.issuer, 'iapAssertion', ISSUER)
  return {
    audience,
    members,
    issuer: issuer as IapFrontendOptions['issuer'],
    clientId,
    agent: `service-${String(audience.split('/')[2])}@gcp-sa-iap.iam.gserviceaccount.com`,
    serviceAudience,
  }
}
