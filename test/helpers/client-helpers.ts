/** What tests of the client share. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ServiceClientError } from '../../src/client.ts'
import { startGoogle } from './google-server.ts'

/** Credentials of which a test says how they get their tokens. */
export interface CountingCredentials {
  calls: number
  /** Seconds. */
  expiresIn: number
  answer: (token: string) => Promise<string>
  readonly fetchIdToken: (audience: string) => Promise<string>
}

/** Credentials that get each token at once, or as they are told, and count. */
export async function countingCredentials(
  t: Test,
  clock: () => Date,
): Promise<CountingCredentials> {
  const { issuer } = await startGoogle(t, clock)
  const credentials: CountingCredentials = {
    calls: 0,
    expiresIn: 3600,
    answer: (token) => Promise.resolve(token),
    async fetchIdToken(audience) {
      credentials.calls += 1
      const { calls: number, expiresIn } = credentials
      return credentials.answer(await issuer.idToken({ audience, expiresIn, claims: { number } }))
    },
  }
  return credentials
}

/** Time for everything to happen that waits for no socket and no clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await sleep(1)
}

/** What a call fails with. */
export async function errorOf(call: Promise<unknown>): Promise<ServiceClientError> {
  const [ended] = await Promise.allSettled([call])
  if (ended.status === 'fulfilled') throw new Error('it did not fail')
  return ended.reason as ServiceClientError
}
