import { GOOGLE_ID_TOKEN } from '../profiles/google-id-token.ts'
import type { TokenProfile } from '../profiles/token-profile.ts'
import { parseAllowedCallers, type AllowedCaller } from '../policy/allowed-callers.ts'
import type { KeyStore } from '../keys/key-store.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { ClaimRules } from './validate-claims.ts'
import { DEFAULT_REALM } from '../errors/id-token-error.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import { parseAudiences } from '../policy/audiences.ts'
import {
  parseClock,
  parseFetch,
  parseLogger,
  parseObjectWith,
  type Logger,
} from '../checks/injected.ts'
import { parseNames, parseNumber, parseStrings, invalidOption } from '../checks/invalid-option.ts'
import { parseHttpHosts } from '../checks/secure-url.ts'
import { parseTwinHeader } from '../profiles/twin-header.ts'
import { parseIap, type IapOptions, type IapSettings } from './iap-options.ts'
import { parseKeys, parseKeyStore, type JwkSet, type TokenSettings } from './key-options.ts'

/** The options of the Fastify plugin, the Express middleware and `createVerifier`. */
export interface VerifierOptions {
  /**
   * The URLs of this service and its custom audiences, at least one. Exact match, except that an
   * origin and the same origin followed by `/` are one audience.
   */
  audience: string | readonly string[]
  /** Who may call routes that have no list of their own. Default: none, so each route needs one. */
  allowedCallers?: readonly AllowedCaller[] | undefined
  /** The accepted `iss`. Default `https://accounts.google.com` and `accounts.google.com`. */
  issuer?: string | readonly string[] | undefined
  /**
   * https, or http on a loopback host or on one of `allowHttpHosts`. Not together with `jwks`. Default
   * `https://www.googleapis.com/oauth2/v3/certs`.
   */
  jwksUri?: string | undefined
  /**
   * Hosts to which http is accepted in `jwksUri`: exact names in lower case, without ports, for an
   * emulator in docker-compose or a cluster: `['google']`. Anyone who can change this traffic
   * decides which tokens are accepted; a warning says so at each start. Default: none.
   */
  allowHttpHosts?: readonly string[] | undefined
  /** A static key set. Nothing is fetched. Not together with `jwksUri`. */
  jwks?: JwkSet | undefined
  /**
   * While the endpoint fails, the last good keys are used for so many seconds after the end of
   * their lifetime: 0 to 604800 (7 days). Default 86400.
   */
  maxStale?: number | undefined
  /** Seconds after which a fetch of keys has failed: 0.1 to 30. Default 3. */
  fetchTimeout?: number | undefined
  /** Keeps keys across restarts, for a cold start while the endpoint fails. Default: none. */
  keyStore?: KeyStore | undefined
  /** Seconds by which clocks may differ, for exp, iat and nbf: 0 to 300. Default 60. */
  clockTolerance?: number | undefined
  /** Seconds: a token whose exp − iat is longer is refused. Default 86400. */
  maxTokenLifetime?: number | undefined
  /**
   * How many verified tokens are remembered, 1 to 1000000, or `false` for none. Default
   * `{ max: 10000 }`.
   */
  tokenCache?:
    | false
    | {
        /** How many tokens are remembered: 1 to 1000000. */
        max: number
      }
    | undefined
  /**
   * Accept the assertions of Identity-Aware Proxy: if `X-Goog-IAP-JWT-Assertion` is present, it
   * decides alone, and no ID token is read. Default: none, `X-Goog-IAP-JWT-Assertion` is ignored.
   */
  iap?: IapOptions | undefined
  /**
   * The header in which callers send their token once more, as `Bearer <token>`. Cloud Run removes the
   * signature of the token in `X-Serverless-Authorization`, and this copy is verified in its place. For
   * callers that need `Authorization` for something else; their client names the same header as `twin`
   * of `tokenHeaders`. A header of your own is read only beside `X-Serverless-Authorization`. Default
   * `authorization`.
   */
  twinHeader?: string | undefined
  /**
   * Accept a token whose signature Cloud Run has removed. Only for a service whose IAM check is on
   * and whose port nothing else reaches: anyone else who reaches the port can forge a token.
   * Default `false`.
   */
  trustRemovedSignature?: boolean | undefined
  /**
   * The `realm` of the `WWW-Authenticate` challenges, without `"`, `\` and control characters.
   * Default `fastify-google-id-token`.
   */
  realm?: string | undefined
  /** The time, for tests with fixture tokens. Default: the system's. */
  clock?: (() => Date) | undefined
  /** For proxies and tests. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** An OpenTelemetry `Meter`. Default: no metrics. */
  meter?: Meter | undefined
  /**
   * Where warnings about keys and options go. Default: the app's logger in Fastify, elsewhere
   * `process.emitWarning`. In Express, refusals go there too where the request has no `log`; without
   * either, refusals are not logged. `createVerifier` logs no refusal: it throws it.
   */
  logger?: Logger | undefined
}

/** Parsed options, with every default filled in: those of ID tokens, and those of all tokens. */
export interface VerifierSettings extends TokenSettings {
  /** `null`: assertions of IAP are ignored. */
  readonly iap: IapSettings | null
  /** The policy of a route without one of its own; its list may be missing. */
  readonly defaultPolicy: AccessPolicy
  /** Milliseconds. */
  readonly maxStale: number
  /** Milliseconds. */
  readonly fetchTimeout: number
  /** 0 for no cache. */
  readonly cacheSize: number
  /** In lower case. */
  readonly twinHeader: string
  readonly trustRemovedSignature: boolean
  readonly realm: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly fetch: typeof globalThis.fetch
  readonly meter: Meter | undefined
  readonly logger: Logger
}

/** The names of the options; any other name is refused. */
export const OPTION_NAMES = [
  'audience',
  'allowedCallers',
  'issuer',
  'jwksUri',
  'allowHttpHosts',
  'jwks',
  'maxStale',
  'fetchTimeout',
  'keyStore',
  'clockTolerance',
  'maxTokenLifetime',
  'tokenCache',
  'iap',
  'twinHeader',
  'trustRemovedSignature',
  'realm',
  'clock',
  'fetch',
  'meter',
  'logger',
] as const satisfies readonly (keyof VerifierOptions)[]

/**
 * Parses options once, at start.
 *
 * @throws TypeError naming the option, its value and what is accepted
 */
export function parseVerifierOptions(value: unknown): VerifierSettings {
  const profile = GOOGLE_ID_TOKEN
  const options = parseNames('options', value, OPTION_NAMES)
  // A default replaces a missing option, never `null`.
  const { maxStale = 86_400, fetchTimeout = 3 } = options
  const httpHosts = parseHttpHosts(options.allowHttpHosts)
  const keyStore = parseKeyStore('keyStore', options.keyStore)
  return {
    profile,
    rules: parseRules(options, profile),
    defaultPolicy: {
      optional: false,
      reportOnly: false,
      allowedCallers:
        options.allowedCallers === undefined
          ? null
          : parseAllowedCallers('allowedCallers', options.allowedCallers),
      audiences: parseAudiences('audience', options.audience),
    },
    keys: parseKeys(options, { profile, httpHosts }),
    maxStale:
      parseNumber('maxStale', maxStale, {
        min: 0,
        max: 604_800,
        unit: 'seconds',
      }) * 1000,
    fetchTimeout:
      parseNumber('fetchTimeout', fetchTimeout, {
        min: 0.1,
        max: 30,
        unit: 'seconds',
      }) * 1000,
    keyStore,
    iap: parseIap(options.iap, { httpHosts, keyStore }),
    cacheSize: parseCacheSize(options.tokenCache),
    twinHeader: parseTwin(options.twinHeader),
    trustRemovedSignature: parseTrust(options.trustRemovedSignature),
    realm: parseRealm(options.realm),
    now: parseClock(options.clock),
    fetch: parseFetch(options.fetch),
    meter: parseMeter(options.meter),
    logger: parseLogger(options.logger),
  }
}

/** The rules for claims, from the options or else from the profile. */
function parseRules(options: Readonly<Record<string, unknown>>, profile: TokenProfile): ClaimRules {
  const {
    issuer = profile.issuers,
    clockTolerance = profile.clockTolerance,
    maxTokenLifetime = profile.maxTokenLifetime,
  } = options
  return {
    issuers: parseStrings('issuer', issuer, 'a non-empty string or a non-empty list of them'),
    clockTolerance: parseNumber('clockTolerance', clockTolerance, {
      min: 0,
      max: 300,
      unit: 'seconds',
    }),
    maxTokenLifetime: parseNumber('maxTokenLifetime', maxTokenLifetime, {
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      unit: 'seconds',
    }),
  }
}

/** RFC 9110 section 5.6.4: what a quoted-string holds without escapes, in ASCII. */
const QUOTABLE = /^[ !#-[\]-~]{1,128}$/

function parseRealm(value: unknown = DEFAULT_REALM): string {
  if (typeof value !== 'string' || !QUOTABLE.test(value)) {
    throw invalidOption('realm', value, 'a string of 1 to 128 ASCII characters without " and \\')
  }
  return value
}

function parseMeter(value: unknown): Meter | undefined {
  for (const method of ['createCounter', 'createHistogram', 'createObservableGauge']) {
    parseObjectWith('meter', value, method, 'an OpenTelemetry Meter')
  }
  return value as Meter | undefined
}

/** The cache takes its memory at start, and nobody has more callers than this. */
const LARGEST_CACHE = 1_000_000

function parseCacheSize(value: unknown = { max: 10_000 }): number {
  if (value === false) return 0
  const { max } = parseNames('tokenCache', value, ['max'], 'false, or an object with max')
  if (!Number.isInteger(max) || (max as number) < 1 || (max as number) > LARGEST_CACHE) {
    throw invalidOption(
      'tokenCache.max',
      max,
      `a whole number of tokens from 1 to ${LARGEST_CACHE}, or tokenCache: false`,
    )
  }
  return max as number
}

/**
 * The client does not accept `{ twin: 'authorization' }`: `tokenHeaders: 'both'` means that. Here
 * `authorization` is the default, and may be written out.
 */
function parseTwin(value: unknown = 'authorization'): string {
  const isDefault = typeof value === 'string' && value.toLowerCase() === 'authorization'
  return isDefault ? 'authorization' : parseTwinHeader('twinHeader', value)
}

function parseTrust(value: unknown): boolean {
  if (value === undefined || value === false) return false
  if (value !== true) throw invalidOption('trustRemovedSignature', value, 'true or false')
  // Cloud Run sets it (https://cloud.google.com/run/docs/container-contract#env-vars). It does not
  // prove that the IAM check is on. But if it is not set, there was no check.
  if ((process.env.K_SERVICE ?? '').trim() === '') {
    throw invalidOption(
      'trustRemovedSignature',
      value,
      'true on Cloud Run only, and K_SERVICE is not set here: outside Cloud Run anyone can send such a token',
    )
  }
  return true
}
