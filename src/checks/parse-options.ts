/** Parses values of options that several parts of the package have. */
import { isIP } from 'node:net'
import { parseClock } from './injected.ts'
import { invalidOption } from './invalid-option.ts'
import { isLoopback } from './secure-url.ts'

const LARGEST_PORT = 65_535
/** RFC 1123 section 2.1, and the underscores that names in docker-compose may have. */
const HOST_NAME = /^\w(?:[\w.-]*\w)?$/
const EMAIL = /^[^\s@/]+@[^\s@/]+$/

/** @throws TypeError naming the option */
export function parseBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(name, value, 'true or false')
}

/**
 * A whole number within bounds.
 *
 * @throws TypeError naming the option
 */
export function parseInteger(
  name: string,
  value: unknown,
  {
    min,
    max = Number.MAX_SAFE_INTEGER,
    of = '',
  }: { readonly min: number; readonly max?: number; readonly of?: string },
): number {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value)
  throw invalidOption(name, value, `an integer${of} from ${min} to ${max}`)
}

/** @throws TypeError naming the option */
export function parsePort(value: unknown): number {
  return parseInteger('port', value, { min: 0, max: LARGEST_PORT })
}

/**
 * The host to listen on.
 *
 * @throws TypeError naming the option
 */
export function parseHost({ host = '127.0.0.1', allowRemote = false }: HostOptions): string {
  const isRemoteAllowed = parseBoolean('allowRemote', allowRemote)
  const isHost = typeof host === 'string' && (isIP(host) !== 0 || HOST_NAME.test(host))
  if (isHost && (isLoopback(host) || isRemoteAllowed)) return host
  throw invalidOption(
    'host',
    host,
    isRemoteAllowed
      ? 'an IP address or a host name'
      : 'a loopback host, or any with allowRemote: true',
  )
}

interface HostOptions {
  readonly host?: unknown
  readonly allowRemote?: unknown
}

/**
 * Where the time comes from. Default: the system.
 *
 * @throws TypeError naming the option
 */
export function parseDateClock(value: unknown): () => Date {
  parseClock(value)
  return (value ?? (() => new Date())) as () => Date
}

/** Whether this has the form of an email. */
export function isEmail(value: string): boolean {
  return EMAIL.test(value)
}

/** @throws TypeError naming the option */
export function parseEmail(name: string, value: unknown): string {
  if (typeof value === 'string' && isEmail(value)) return value
  throw invalidOption(name, value, 'an email')
}
