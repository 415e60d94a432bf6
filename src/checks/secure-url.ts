import { BlockList, isIP } from 'node:net'
import { warnAtStart, type Logger } from './injected.ts'
import { invalidOption, invalidSecretOption } from './invalid-option.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * A URL whose traffic nobody else can read or change: https, or http that stays on this host.
 *
 * @param httpHosts - hosts to which http is accepted as well: the option `allowHttpHosts`;
 * `undefined` where there is no such option
 * @returns the URL, normalised
 * @throws TypeError naming the option
 */
export function parseSecureUrl(
  name: string,
  value: unknown,
  httpHosts?: readonly string[],
): string {
  const accepted = httpHosts === undefined ? ACCEPTED : `${ACCEPTED}${OR_ALLOWED}`
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw invalidSecretOption(name, 'is a URL with credentials', accepted)
  }
  if (url === null || !(isSecure(url) || isAllowedHttp(url, httpHosts))) {
    throw invalidOption(name, value, accepted)
  }
  return url.href
}

const ACCEPTED = 'an https URL without credentials, or http on a loopback host'
const OR_ALLOWED = ' or on a host that the option allowHttpHosts names'

function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

function isAllowedHttp({ protocol, hostname }: URL, hosts: readonly string[] = []): boolean {
  return protocol === 'http:' && hosts.includes(hostname)
}

/** Whether a host is this machine. An IPv6 address is in brackets. */
export function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  if (family === 0) return address === 'localhost'
  return loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** RFC 1123 section 2.1, and `_`, which names in docker-compose may have. */
const HOST_NAME = /^[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/

/**
 * The option `allowHttpHosts`: hosts to which http is accepted, by their exact names.
 *
 * @throws TypeError naming what is wrong
 */
export function parseHttpHosts(value: unknown = []): readonly string[] {
  if (Array.isArray(value) && value.every(isHostName)) return [...value]
  throw invalidOption('allowHttpHosts', value, HOSTS_ACCEPTED)
}

const HOSTS_ACCEPTED =
  "a list of exact host names in lower case, such as ['profiles'], without ports, wildcards and IP addresses"

function isHostName(host: unknown): host is string {
  if (typeof host !== 'string' || !HOST_NAME.test(host) || isIP(host) !== 0) return false
  const url = `http://${host}/`
  // `10.1` and `0x7f.1` are addresses too: the URL standard rewrites them.
  return URL.canParse(url) && new URL(url).hostname === host
}

/** A URL that an option holds. */
interface ConfiguredUrl {
  readonly option: string
  /** As `parseSecureUrl` returned it. */
  readonly url: string
  /** What is sent there, as a plural noun. */
  readonly exposed: string
}

/** Warns if a URL is accepted only because `allowHttpHosts` names its host. */
export function warnOfPlainHttp(logger: Logger, { option, url, exposed }: ConfiguredUrl): void {
  const parsed = new URL(url)
  if (isSecure(parsed)) return
  const { hostname } = parsed
  warnAtStart(
    logger,
    `The option allowHttpHosts names ${hostname}: ${exposed} travel unencrypted between here and there, and anyone on that network can read and change them`,
    { option, host: hostname },
  )
}
