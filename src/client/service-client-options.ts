import { parseClock, parseFetch, parseLogger, type Logger } from '../checks/injected.ts'
import {
  parseNames,
  parseNumber,
  invalidOption,
  invalidSecretOption,
} from '../checks/invalid-option.ts'
import { parseSecureUrl, parseHttpHosts } from '../checks/secure-url.ts'
import { parseTwinHeader } from '../profiles/twin-header.ts'
import { parseCredentials, type Credentials } from './parse-credentials.ts'
import { applicationDefault } from './google-auth-library.ts'
import type { ServiceAccount } from './impersonate.ts'

/**
 * Which headers carry the ID token. `{ twin }` names your own header, which carries an intact copy
 * of the token, in addition to `X-Serverless-Authorization`.
 */
export type TokenHeaders =
  | 'both'
  | 'x-serverless-authorization'
  | 'authorization'
  | {
      /** The name of the header, in any case. */
      readonly twin: string
    }

/** The options of `createServiceClient`. */
export interface ServiceClientOptions {
  /**
   * The service: https, or http on a loopback host or on one of `allowHttpHosts`. Calls are
   * relative to it, and go only to its origin.
   */
  url: string
  /**
   * The audience of the tokens: the URL of the service, or one of its custom audiences. For the URL
   * of a tagged revision, name the URL without the tag. Default: the origin of `url`.
   */
  audience?: string | undefined
  /**
   * A `GoogleAuth` or a client of google-auth-library, version 10 or later. Default: application
   * default credentials.
   */
  auth?: Credentials | undefined
  /**
   * The service account whose ID tokens you want, if it is not the one of the credentials: its
   * email, or `{ email, endpoint }` if the IAM Credentials API has another address than Google's
   * (the emulator). The credentials impersonate it. Default: none.
   */
  serviceAccount?: string | ServiceAccount | undefined
  /**
   * Which headers carry the token. With `'both'` the token passes the check of Cloud Run and the
   * check of the service. With `{ twin: 'x-my-header' }` the token is in
   * `X-Serverless-Authorization` and in the header that you name; `Authorization` is free for the
   * application. `'x-serverless-authorization'` and `'authorization'` send it only in that header.
   * Default `'both'`.
   */
  tokenHeaders?: TokenHeaders | undefined
  /**
   * Hosts to which http is accepted, in `url` and in `serviceAccount.endpoint`: exact names in lower
   * case, without ports, for the services of docker-compose or a cluster: `['profiles', 'google']`.
   * Tokens travel unencrypted there, and a warning says so at each start. Default: none.
   */
  allowHttpHosts?: readonly string[] | undefined
  /** A token is replaced in the background this many seconds before it expires. Default 300. */
  refreshBefore?: number | undefined
  /**
   * The time limit for getting a token, in seconds. For a call itself, the limit is its `signal`.
   * Default 10.
   */
  timeout?: number | undefined
  /** Where warnings go. Default: the app's logger in Fastify, elsewhere `process.emitWarning`. */
  logger?: Logger | undefined
  /** The function that calls the service, for proxies and tests. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** The time, for tests. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** Parsed options, with every default filled in. */
export interface ServiceClientSettings {
  readonly url: URL
  readonly audience: string
  readonly credentials: Credentials
  readonly serviceAccount: ServiceAccount | undefined
  /** The names, in lower case, of the headers that carry the token. */
  readonly tokenHeaders: readonly string[]
  /** Milliseconds. */
  readonly refreshBefore: number
  /** Milliseconds. */
  readonly timeout: number
  readonly logger: Logger
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The names of the options; any other name is refused. */
export const SERVICE_CLIENT_OPTION_NAMES = [
  'url',
  'audience',
  'auth',
  'serviceAccount',
  'tokenHeaders',
  'allowHttpHosts',
  'refreshBefore',
  'timeout',
  'logger',
  'fetch',
  'clock',
] as const satisfies readonly (keyof ServiceClientOptions)[]

const SERVERLESS = 'x-serverless-authorization'
const AUTHORIZATION = 'authorization'

/**
 * Parses options once, at start.
 *
 * @throws TypeError naming the option, its value (unless it may be a secret), and what is accepted
 */
export function parseServiceClientOptions(value: unknown): ServiceClientSettings {
  const options = parseOptionNames(value)
  const {
    tokenHeaders = 'both',
    refreshBefore = 300,
    timeout = 10,
    auth = applicationDefault,
  } = options
  const httpHosts = parseHttpHosts(options.allowHttpHosts)
  const url = new URL(parseSecureUrl('url', options.url, httpHosts))
  const seconds = { min: 0, max: 3600, unit: 'seconds' }
  return {
    url,
    audience: parseAudience(options.audience === undefined ? url.origin : options.audience),
    credentials: parseCredentials(auth),
    serviceAccount: parseServiceAccount(options.serviceAccount, httpHosts),
    tokenHeaders: parseTokenHeaders(tokenHeaders),
    refreshBefore: parseNumber('refreshBefore', refreshBefore, seconds) * 1000,
    timeout: parseNumber('timeout', timeout, { ...seconds, min: 0.001 }) * 1000,
    logger: parseLogger(options.logger),
    fetch: parseFetch(options.fetch),
    now: parseClock(options.clock),
  }
}

/** Names of options in other libraries, or in earlier versions. */
const MEANT: Readonly<Record<string, string | undefined>> = {
  header: 'tokenHeaders',
  headers: 'tokenHeaders',
  tokenHeader: 'tokenHeaders',
  audiences: 'audience',
  targetAudience: 'audience',
  credentials: 'auth',
  baseUrl: 'url',
  baseURL: 'url',
}

/** The value of an unknown option is not printed, because it may be a key. */
function parseOptionNames(value: unknown): Record<string, unknown> {
  for (const name of Object.keys((value as object | null | undefined) ?? {})) {
    if (!(SERVICE_CLIENT_OPTION_NAMES as readonly string[]).includes(name)) {
      throw invalidSecretOption(
        name,
        MEANT[name] === undefined ? 'is unknown' : `is unknown (did you mean ${MEANT[name]}?)`,
        `the options ${SERVICE_CLIENT_OPTION_NAMES.join(', ')}`,
      )
    }
  }
  return parseNames('options', value, SERVICE_CLIENT_OPTION_NAMES)
}

/** The headers of each setting. */
function parseTokenHeaders(value: unknown): readonly string[] {
  if (value === 'both') return [SERVERLESS, AUTHORIZATION]
  if (value === SERVERLESS || value === AUTHORIZATION) return [value]
  const accepted = `'both', '${SERVERLESS}', '${AUTHORIZATION}' or { twin: 'x-my-header' }`
  const { twin } = parseNames('tokenHeaders', value, ['twin'], accepted)
  return [SERVERLESS, parseTwinHeader('tokenHeaders.twin', twin)]
}

/**
 * google-auth-library puts the audience into the URL of the metadata server without escaping it.
 * These characters would end it there, or become other ones.
 */
const MISREAD = /[&#+%\s\p{Cc}]/u

function parseAudience(value: unknown): string {
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

function parseServiceAccount(
  value: unknown,
  httpHosts: readonly string[],
): ServiceAccount | undefined {
  if (value === undefined) return undefined
  const { email, endpoint } =
    typeof value === 'string'
      ? { email: value, endpoint: undefined }
      : parseNames('serviceAccount', value, ['email', 'endpoint'])
  if (typeof email !== 'string' || !ACCOUNT.test(email)) {
    throw invalidOption(
      typeof value === 'string' ? 'serviceAccount' : 'serviceAccount.email',
      email,
      'the email of a service account, or its unique id',
    )
  }
  if (endpoint === undefined) return { email }
  const url = parseSecureUrl('serviceAccount.endpoint', endpoint, httpHosts)
  return { email, endpoint: url.replace(/\/$/, '') }
}
