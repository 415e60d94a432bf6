import { BlockList, isIP } from 'node:net'
import { invalidOption, invalidSecretOption } from './invalid-option.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * A URL whose traffic nobody on the way can read or change: https, or http that stays on this host.
 *
 * @returns the URL, normalised
 * @throws TypeError naming the option
 */
export function acceptSecureUrl(name: string, value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw invalidSecretOption(name, 'is a URL with credentials', ACCEPTED)
  }
  if (url === null || !isSecure(url)) throw invalidOption(name, value, ACCEPTED)
  return url.href
}

const ACCEPTED = 'an https URL without credentials, or http on a loopback host'

function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** Whether a host, bracketed if it is an IPv6 address, is this one. */
export function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  if (family === 0) return address === 'localhost'
  return loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
