import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../../checks/secure-url.ts'

/**
 * Whatever reaches the port calls the service with your identity. Web pages of strangers reach it
 * too, through the browser of this machine: by a host name that they let point to this machine (DNS
 * rebinding), or with requests across sites.
 *
 * @returns why a request is refused; `null` if it is passed on
 */
export function proxyRefusal({ headers }: IncomingMessage): string | null {
  const { host = '', origin } = headers
  if (!isLocal(`http://${host}`)) {
    return 'This proxy answers requests to localhost only: the Host header names another host'
  }
  const crossSite = headers['sec-fetch-site'] === 'cross-site'
  if (crossSite || (origin !== undefined && !isLocal(origin))) {
    return 'This proxy answers no page of another site: it would call the service with your identity'
  }
  return null
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}
