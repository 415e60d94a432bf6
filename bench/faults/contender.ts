import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyServer } from './key-server.ts'

/** For whom the tokens of the run are, and from whom. */
export const AUDIENCE = 'https://search.run.app'
export const ISSUER = 'https://accounts.google.com'

/** What jose and jsonwebtoken check beside the signature. */
export const RULES = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['RS256' as const] }

/** Milliseconds for which keys live where a run cannot wait for the contender's own lifetime. */
export const SHORT_LIFE = 1_000

/** Whether a contender keeps its keys for as long as it does by default, or for `SHORT_LIFE`. */
export type Life = 'default' | 'short'

/** A library, or two that are used together, that verifies tokens with keys from an endpoint. */
export interface Contender {
  readonly name: string
  /** Packages to name with their versions. */
  readonly packages: readonly string[]
  /** What makes it more than its defaults, and how its keys are made to expire. */
  readonly setup: string
  readonly keys: KeyFormat
  readonly create: (uri: string, life: Life) => Verifying
}

/** One verifier of a contender, with key cache and all. */
export interface Verifying {
  /** Rejects where the token is refused. */
  readonly verify: (token: string) => Promise<unknown>
  /** Makes the keys be past their short life. */
  readonly expire: () => Promise<void>
  /** Makes the last fetch be half a minute ago, where that matters; the keys are fresh. */
  readonly rest: () => void
  readonly close: () => void
}

/** What a contender wants the key endpoint to publish. */
export interface KeyFormat {
  readonly write: (jwks: KeyServer['jwks']) => string
  /** Whether it is a JWK set, so that the faults of JWK sets apply. */
  readonly isJwkSet: boolean
}

/** RFC 7517. */
export const JWK_SET: KeyFormat = { write: JSON.stringify, isJwkSet: true }

/** Google's older form, an object of PEM by key id. */
export const PEM_BY_KID: KeyFormat = {
  write: ({ keys }) =>
    JSON.stringify(
      Object.fromEntries(
        (keys as (JsonWebKeyInput['key'] & { kid: string })[]).map((key) => [
          key.kid,
          createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
        ]),
      ),
    ),
  isJwkSet: false,
}

/** For contenders whose time is the machine's. */
export async function outliveShortLife(): Promise<void> {
  await sleep(SHORT_LIFE * 1.1)
}

/** For contenders that nothing of theirs needs ending, or waiting for. */
export function nothing(): void {
  return undefined
}

/** Of a contender whose keys expire by the machine's time, and that leaves nothing open. */
export const BY_MACHINE_TIME: Omit<Verifying, 'verify'> = {
  expire: outliveShortLife,
  rest: nothing,
  close: nothing,
}
