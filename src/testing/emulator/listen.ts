import { isIPv6, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../../checks/secure-url.ts'
import type { EmulatorSettings } from './emulator-options.ts'

/**
 * Listens, and warns if other hosts can reach it.
 *
 * @returns the base URL, as this host reaches it
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: Pick<EmulatorSettings, 'host' | 'port'>,
): Promise<string> {
  await app.listen({ host, port })
  if (!isLoopback(host)) {
    process.emitWarning(
      `The Google emulator listens on ${host}: all who reach it get tokens of any account, so its tokens are worthless as secrets`,
      { code: 'GOOGLE_EMULATOR_REMOTE' },
    )
  }
  return baseUrl(host, (app.server.address() as AddressInfo).port)
}

/** Addresses that a server can listen on, but a client cannot connect to. */
const UNSPECIFIED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The address at which this host reaches a server that listens there. */
export function baseUrl(host: string, port: number): string {
  const name = UNSPECIFIED[host] ?? host
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`
}
