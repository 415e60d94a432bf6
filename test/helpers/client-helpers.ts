/** What tests of the client share. */
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

/** Tokens that are being signed: it takes as long as the machine lets it. */
const signatures = new Set<Promise<string>>()

/** Credentials that get each token at once, or as the test says, and count. */
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
      const token = issuer.idToken({ audience, expiresIn, claims: { number } })
      signatures.add(token)
      const signed = await token
      signatures.delete(token)
      return credentials.answer(signed)
    },
  }
  return credentials
}

/** Waits until all has happened that waits for no socket, no clock and no test. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(signatures)
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate)
  }
}

/** What a call fails with. */
export async function errorOf(call: Promise<unknown>): Promise<ServiceClientError> {
  const [ended] = await Promise.allSettled([call])
  if (ended.status === 'fulfilled') throw new Error('it did not fail')
  return ended.reason as ServiceClientError
}
