/** The options of every push, and checks for the other options. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import {
  parseNames,
  parseNumber,
  invalidOption,
  invalidSecretOption,
} from '../../checks/invalid-option.ts'
import { parseSecureUrl } from '../../checks/secure-url.ts'
import { parseEmail } from '../../checks/parse-options.ts'

/** The options of every push. */
export interface PushOptions {
  /** Where the request goes: https, or http on a loopback host. */
  url: string
  /** The email of the service account whose token the request carries. */
  serviceAccount: string
  /** `aud` of the token. Default: the `url` as it is given; for Eventarc, its origin. */
  audience?: string | undefined
  /**
   * Seconds until the whole answer has arrived. Default 10, the shortest deadline of a Pub/Sub
   * subscription.
   */
  timeout?: number | undefined
  /** Ends the wait earlier. */
  signal?: AbortSignal | undefined
}

/** The names of the options of every push; the others belong to one product. */
export const PUSH_OPTION_NAMES = [
  'url',
  'serviceAccount',
  'audience',
  'timeout',
  'signal',
] as const satisfies readonly (keyof PushOptions)[]

/** Where a request goes, and whose token it carries. */
export interface PushTarget {
  readonly url: string
  readonly serviceAccount: string
  readonly audience: string
  readonly signal: AbortSignal
}

/** The longest wait of all: Cloud Tasks' longest dispatch deadline, in seconds. */
const LONGEST_TIMEOUT = 1800

/**
 * Parses the options of every push.
 *
 * @param names - the product's own options
 * @throws TypeError naming the option, its value and what is accepted
 */
export function parsePush(
  value: unknown,
  names: readonly string[],
): { target: PushTarget; own: Readonly<Record<string, unknown>> } {
  const options = parseNames('options', value, [...PUSH_OPTION_NAMES, ...names])
  const { url, audience = url, timeout = 10, signal } = options
  parseSecureUrl('url', url)
  const seconds = parseNumber('timeout', timeout, {
    min: 0.001,
    max: LONGEST_TIMEOUT,
    unit: 'seconds',
  })
  const target = {
    // As it is given: Google does not normalise the URL for the audience.
    url: String(url),
    serviceAccount: parseEmail('serviceAccount', options.serviceAccount),
    audience: parseText('audience', audience),
    signal: limited(parseSignal(signal), seconds),
  }
  return { target, own: options }
}

function parseSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw invalidOption('signal', value, 'an AbortSignal')
}

function limited(signal: AbortSignal | undefined, seconds: number): AbortSignal {
  const timeout = AbortSignal.timeout(Math.ceil(seconds * 1000))
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

/** A string that is valid in a header. */
export function parseText(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)) return value
  throw invalidOption(name, value, 'a non-empty string of printable ASCII')
}

/** A moment. */
export function parseTime(name: string, value: unknown): Date {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value
  throw invalidOption(name, value, 'a valid Date')
}

/** Text, in UTF-8, or bytes. The value is never printed. */
export function parseBytes(name: string, value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  throw invalidSecretOption(name, 'is neither text nor bytes', 'a string or a Uint8Array')
}

/** Strings by name. Values are never printed. */
export function parseStringMap(name: string, value: unknown): Record<string, string> {
  const accepted = 'an object whose values are strings'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption(name, value, accepted)
  }
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') {
      throw invalidSecretOption(`${name}.${key}`, 'is no string', accepted)
    }
  }
  return { ...value }
}

/** Headers that Google computes or replaces, even if a task, a job or a message names them. */
const COMPUTED =
  /^(?:authorization|connection|content-length|expect|host|transfer-encoding|upgrade|user-agent|x-appengine-.*|x-google-.*)$/i

/** The given headers, without those that Google ignores. */
export function parseHeaders(name: string, value: unknown): Record<string, string> {
  const headers = parseStringMap(name, value)
  for (const [header, text] of Object.entries(headers)) {
    try {
      validateHeaderName(header)
      validateHeaderValue(header, text)
    } catch {
      throw invalidSecretOption(`${name}.${header}`, 'is no header', 'what HTTP allows in a header')
    }
  }
  return Object.fromEntries(Object.entries(headers).filter(([header]) => !COMPUTED.test(header)))
}
