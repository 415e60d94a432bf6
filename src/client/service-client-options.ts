import { acceptClock, acceptFetch, acceptLogger, type Logger } from '../options/injected.ts'
import {
  acceptNames,
  acceptNumber,
  invalidOption,
  invalidSecretOption,
} from '../options/invalid-option.ts'
import { acceptSecureUrl } from '../options/secure-url.ts'
import { acceptCredentials, type Credentials } from './credentials.ts'
import { applicationDefault } from './google-auth-library.ts'
import type { ServiceAccount } from './impersonate.ts'

/** Which headers carry the ID token. */
export type TokenHeaders = 'both' | 'x-serverless-authorization' | 'authorization'

/** The options of `createServiceClient`. */
export interface ServiceClientOptions {
  /** The service: https, or http on a loopback host. Calls are relative to it, and stay with its origin. */
  url: string
  /**
   * Whom the tokens are for: the URL of the service, or one of its custom audiences. For the URL of
   * a tagged revision, name the URL without the tag. Default: the origin of `url`.
   */
  audience?: string | undefined
  /**
   * A `GoogleAuth` or a client of google-auth-library, version 10 or later. Default: application
   * default credentials.
   */
  auth?: Credentials | undefined
  /**
   * The service account whose ID tokens are wanted, where it is not the one of the credentials: its
   * email, or `{ email, endpoint }` where the IAM Credentials API is not at Google's address, but at
   * the emulator's. The credentials impersonate it. Default: none.
   */
  serviceAccount?: string | ServiceAccount | undefined
  /**
   * `'both'` passes the check of Cloud Run and the one of the service. `'x-serverless-authorization'`
   * leaves `Authorization` to the application; `'authorization'` is the classic. Default `'both'`.
   */
  header?: TokenHeaders | undefined
  /** Seconds before its expiry from which a token is replaced in the background. Default 300. */
  refreshBefore?: number | undefined
  /** Seconds for getting a token. A call itself takes as long as its `signal` lets it. Default 10. */
  timeout?: number | undefined
  /** Where warnings go. Default: the app's logger in Fastify, elsewhere `process.emitWarning`. */
  logger?: Logger | undefined
  /** Calls the service, for proxies and tests. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** The time, for tests. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** Judged options, with every default filled in. */
export interface ServiceClientSettings {
  readonly url: URL
  readonly audience: string
  readonly credentials: Credentials
  readonly serviceAccount: ServiceAccount | undefined
  readonly header: TokenHeaders
  /** Milliseconds. */
  readonly refreshBefore: number
  /** Milliseconds. */
  readonly timeout: number
  readonly logger: Logger
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The options that there are; any other name is refused. */
export const SERVICE_CLIENT_OPTION_NAMES = [
  'url',
  'audience',
  'auth',
  'serviceAccount',
  'header',
  'refreshBefore',
  'timeout',
  'logger',
  'fetch',
  'clock',
] as const satisfies readonly (keyof ServiceClientOptions)[]

const HEADERS: readonly unknown[] = ['both', 'x-serverless-authorization', 'authorization']

/**
 * Judges options once, at start.
 *
 * @throws TypeError naming the option, its value unless that may be a secret, and what is accepted
 */
export function acceptServiceClientOptions(value: unknown): ServiceClientSettings {
  const options = acceptOptionNames(value)
  const { header = 'both', refreshBefore = 300, timeout = 10, auth = applicationDefault } = options
  const url = new URL(acceptSecureUrl('url', options.url))
  if (!HEADERS.includes(header)) {
    throw invalidOption('header', header, HEADERS.map((one) => `'${String(one)}'`).join(', '))
  }
  const seconds = { min: 0, max: 3600, unit: 'seconds' }
  return {
    url,
    audience: acceptAudience(options.audience === undefined ? url.origin : options.audience),
    credentials: acceptCredentials(auth),
    serviceAccount: acceptServiceAccount(options.serviceAccount),
    header: header as TokenHeaders,
    refreshBefore: acceptNumber('refreshBefore', refreshBefore, seconds) * 1000,
    timeout: acceptNumber('timeout', timeout, { ...seconds, min: 0.001 }) * 1000,
    logger: acceptLogger(options.logger),
    fetch: acceptFetch(options.fetch),
    now: acceptClock(options.clock),
  }
}

/** A name that does not exist may have been meant for a key: its value is not printed. */
function acceptOptionNames(value: unknown): Record<string, unknown> {
  for (const name of Object.keys((value as object | null | undefined) ?? {})) {
    if (!(SERVICE_CLIENT_OPTION_NAMES as readonly string[]).includes(name)) {
      throw invalidSecretOption(
        name,
        'is unknown',
        `the options ${SERVICE_CLIENT_OPTION_NAMES.join(', ')}`,
      )
    }
  }
  return acceptNames('options', value, SERVICE_CLIENT_OPTION_NAMES)
}

/**
 * google-auth-library puts the audience into the metadata server's URL as it is, so there these
 * characters would end it, or become others.
 */
const MISREAD = /[&#+%\s\p{Cc}]/u

function acceptAudience(value: unknown): string {
  if (typeof value !== 'string' || value === '' || MISREAD.test(value)) {
    throw invalidOption(
      'audience',
      value,
      'a non-empty string without & # + % and white space, which the metadata server would misread',
    )
  }
  return value
}

/** It becomes part of a URL. */
const ACCOUNT = /^(?:[\w.:-]+@[\w.-]+|\d{15,25})$/

function acceptServiceAccount(value: unknown): ServiceAccount | undefined {
  if (value === undefined) return undefined
  const { email, endpoint } =
    typeof value === 'string'
      ? { email: value, endpoint: undefined }
      : acceptNames('serviceAccount', value, ['email', 'endpoint'])
  if (typeof email !== 'string' || !ACCOUNT.test(email)) {
    throw invalidOption(
      typeof value === 'string' ? 'serviceAccount' : 'serviceAccount.email',
      email,
      'the email of a service account, or its unique id',
    )
  }
  if (endpoint === undefined) return { email }
  return {
    email,
    endpoint: acceptSecureUrl('serviceAccount.endpoint', endpoint).replace(/\/$/, ''),
  }
}
