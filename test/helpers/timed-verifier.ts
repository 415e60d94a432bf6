/** Verifiers in a time of their own, the tokens for them, and how they are refused. */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import {
  createVerifier,
  IdTokenError,
  type Verifier,
  type VerifierOptions,
} from '../../src/index.ts'
import { createTestIssuer, type TestIdToken } from '../../src/testing.ts'
import { audience, login } from './shop.ts'
import { stoppedClock } from './stopped-clock.ts'
import { testKey } from './issuer.ts'

export const time = stoppedClock('2026-03-02T12:00:00Z')
export const { clock } = time
export const issuer = await createTestIssuer({ clock, key: testKey })

export function verifierWith(options: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({ audience, jwks: issuer.jwks, clock, ...options })
}

/** A token of the login service, but for what is given. */
export function signed(token: Partial<TestIdToken> = {}): Promise<string> {
  return issuer.idToken({ email: login, audience, ...token })
}

/** @param rawHeaders - names and values in turn, as Node has them */
export function requestWith(...rawHeaders: string[]): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  request.rawHeaders.push(...rawHeaders)
  return request
}

/** The refusal that a verification ends in; `null` where it is accepted. Anything else is thrown on. */
export async function refusalOf(verification: () => unknown): Promise<IdTokenError | null> {
  try {
    await verification()
  } catch (error) {
    if (error instanceof IdTokenError) return error
    throw error
  }
  return null
}

/** The code of that refusal. */
export async function codeOf(verification: () => unknown): Promise<string> {
  return (await refusalOf(verification))?.code ?? 'accepted'
}
