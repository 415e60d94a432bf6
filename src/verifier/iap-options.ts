import type { KeyStore } from '../keys/key-store.ts'
import type { Audiences } from '../policy/audiences.ts'
import { IAP_ASSERTION } from '../profiles/iap-assertion.ts'
import {
  invalidOption,
  invalidSecretOption,
  parseNames,
  parseStrings,
} from '../checks/invalid-option.ts'
import { parseKeys, parseKeyStore, type JwkSet, type TokenSettings } from './key-options.ts'

/** The option `iap`: what stands behind Identity-Aware Proxy, and where IAP's keys are. */
export interface IapOptions {
  /**
   * What IAP protects here: `/projects/NUMBER/global/backendServices/ID` (a load balancer; a regional
   * one has `regions/REGION` in the place of `global`), `/projects/NUMBER/apps/PROJECT_ID` (App Engine)
   * or
   * `/projects/NUMBER/locations/REGION/services/NAME` (IAP on Cloud Run itself). Exact match. It
   * counts on every route: the `audience` of a route concerns ID tokens only.
   */
  audience: string | readonly string[]
  /**
   * https, or http on a loopback host or on one of `allowHttpHosts`. Not together with `iap.jwks`.
   * Default `https://www.gstatic.com/iap/verify/public_key-jwk`.
   */
  jwksUri?: string | undefined
  /** A static key set. Nothing is fetched. Not together with `iap.jwksUri`. */
  jwks?: JwkSet | undefined
  /** Like the option `keyStore`, for IAP's keys. It must be another store, because a store holds one set. Default: none. */
  keyStore?: KeyStore | undefined
}

/** Parsed options. */
export interface IapSettings extends TokenSettings {
  readonly audiences: Audiences
}

const NAMES = [
  'audience',
  'jwksUri',
  'jwks',
  'keyStore',
] as const satisfies readonly (keyof IapOptions)[]

/** https://cloud.google.com/iap/docs/signed-headers-howto, and for Cloud Run as seen in IAP's assertions. */
const AUDIENCE =
  /^\/projects\/[0-9]+\/(?:(?:global|regions\/[a-z0-9-]+)\/backendServices\/[0-9]+|apps\/[a-z0-9][a-z0-9.:-]*|locations\/[a-z0-9-]+\/services\/[a-z0-9-]+)$/

const AUDIENCE_ACCEPTED =
  '/projects/NUMBER/global/backendServices/ID (or regions/REGION in the place of global), /projects/NUMBER/apps/PROJECT_ID or /projects/NUMBER/locations/REGION/services/NAME, or a non-empty list of them; NUMBER is the number of the project and not its id'

/** The other options that concern IAP's keys. */
interface OtherOptions {
  readonly httpHosts: readonly string[]
  readonly keyStore: KeyStore | undefined
}

/**
 * Parses the option `iap`; `null` where it is missing. Times and issuer are fixed: the options for
 * them are about ID tokens.
 *
 * @throws TypeError naming what is wrong
 */
export function parseIap(value: unknown, others: OtherOptions): IapSettings | null {
  if (value === undefined) return null
  const options = parseNames('iap', value, NAMES)
  const { httpHosts } = others
  return {
    profile: IAP_ASSERTION,
    rules: IAP_ASSERTION,
    audiences: parseIapAudiences(options.audience),
    keys: parseKeys(options, { profile: IAP_ASSERTION, httpHosts, prefix: 'iap.' }),
    keyStore: parseOwnKeyStore(options.keyStore, others.keyStore),
  }
}

/**
 * The option `iap.audience`.
 *
 * @throws TypeError naming what is accepted
 */
export function parseIapAudiences(value: unknown): Audiences {
  const configured = parseStrings('iap.audience', value, AUDIENCE_ACCEPTED)
  if (!configured.every((audience) => AUDIENCE.test(audience))) {
    throw invalidOption('iap.audience', value, AUDIENCE_ACCEPTED)
  }
  return { configured, spellings: new Map(configured.map((audience) => [audience, audience])) }
}

/** If both options had the same store, each key set would overwrite the other. */
function parseOwnKeyStore(value: unknown, other: KeyStore | undefined): KeyStore | undefined {
  const keyStore = parseKeyStore('iap.keyStore', value)
  if (keyStore === undefined || keyStore !== other) return keyStore
  throw invalidSecretOption(
    'iap.keyStore',
    'is that of the option keyStore',
    "a store of its own for IAP's keys",
  )
}
