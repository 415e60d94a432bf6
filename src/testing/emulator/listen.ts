import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../../options/secure-url.ts'
import type { EmulatorSettings } from './emulator-options.ts'

/** An address to listen on that is none to connect to. */
const UNSPECIFIED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/**
 * Listens, and warns where others than this host can reach it.
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
      `The Google emulator listens on ${host}: whoever reaches it gets tokens of any account, so they are worthless as secrets`,
      { code: 'GOOGLE_EMULATOR_REMOTE' },
    )
  }
  const name = UNSPECIFIED[host] ?? host
  const { port: actualPort } = app.server.address() as AddressInfo
  return `http://${isIPv6(name) ? `[${name}]` : name}:${actualPort}`
}
