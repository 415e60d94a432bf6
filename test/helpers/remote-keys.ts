/** Key endpoints on loopback, and sets of keys that are fetched from them. */
import type { Test } from 'tap'
import { startKeyServer, type KeyServer } from '../../bench/faults/key-server.ts'
import { RemoteKeySet, type RemoteKeySetOptions } from '../../src/keys/remote-key-set.ts'
import { RS256 } from '../../src/keys/signature-algorithms.ts'
import { stoppedClock } from './stopped-clock.ts'
import type { TestIssuer } from '../../src/testing.ts'
import { issuer } from './issuer.ts'

/** A key endpoint for one test, with the keys of this issuer. */
export async function keyServer(
  t: Test,
  { jwks }: Pick<TestIssuer, 'jwks'> = issuer,
): Promise<KeyServer> {
  const server = await startKeyServer(jwks)
  t.teardown(() => server.close())
  return server
}

/** A set of keys in a time of its own. */
export interface TimedKeySet {
  readonly keys: RemoteKeySet
  /** What it reported, in words. */
  readonly events: string[]
  readonly now: () => number
  /** Lets these milliseconds pass. */
  readonly pass: (milliseconds: number) => void
}

export function timedKeySet(
  t: Test,
  uri: string,
  options: Partial<RemoteKeySetOptions> = {},
): TimedKeySet {
  const { now, pass } = stoppedClock('2026-11-23T12:00:00Z')
  const events: string[] = []
  const keys = new RemoteKeySet({
    uri,
    algorithm: RS256,
    fetch,
    maxStale: 24 * 3_600_000,
    keyStore: undefined,
    events: {
      refreshed: ({ lifetime }) => events.push(`refreshed for ${Math.round(lifetime / 1000)} s`),
      failed: ({ reason, state }) => events.push(`failed while ${state}: ${reason}`),
      storeFailed: (action, reason) => events.push(`${action}: ${reason}`),
    },
    now,
    steadyNow: now,
    timeout: 500,
    random: () => 0.5,
    ...options,
  })
  t.teardown(() => {
    keys.close()
  })
  return {
    keys,
    events,
    now,
    pass: (milliseconds) => {
      pass(milliseconds / 1000)
    },
  }
}
