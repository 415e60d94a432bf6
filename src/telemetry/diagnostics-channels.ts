import { channel } from 'node:diagnostics_channel'
import type { Caller } from '../policy/caller.ts'
import type { KeySetStats } from '../keys/key-set.ts'
import type { IdTokenErrorDetail } from '../errors/id-token-error.ts'
import type { IdTokenErrorCode } from '../errors/outcomes.ts'

/** Published on `fastify-google-id-token:keys:refreshed` after each good answer. */
export interface KeysRefreshedMessage {
  /** Where the keys were fetched. */
  readonly uri: string
  /** The `kid` of each key that may be used now. */
  readonly keyIds: readonly string[]
  /** Seconds for which the keys are fresh. */
  readonly lifetimeSeconds: number
  /** Why other keys of the set are ignored. */
  readonly skipped: readonly string[]
}

/** Published on `fastify-google-id-token:keys:failed` after each fetch without usable keys. */
export interface KeysFailedMessage {
  /** Where keys were to be fetched. */
  readonly uri: string
  /** What was wrong, in words for a log. */
  readonly reason: string
  /** The state of the current keys after it. */
  readonly state: KeySetStats['state']
  /** Seconds until another fetch may be made. */
  readonly retryInSeconds: number
}

/** Published on `fastify-google-id-token:token:verified` for each caller that was accepted. */
export interface TokenVerifiedMessage {
  /** Who calls. */
  readonly caller: Caller
}

/**
 * Published on `fastify-google-id-token:token:rejected` for each refusal, also where `reportOnly`
 * lets the request in.
 */
export interface TokenRejectedMessage {
  /** Why: the code of the refusal. */
  readonly code: IdTokenErrorCode
  /** What was expected and what was found. */
  readonly detail: IdTokenErrorDetail
}

/** The diagnostics channels. No message ever holds a token. */
export const channels = {
  keysRefreshed: channel('fastify-google-id-token:keys:refreshed'),
  keysFailed: channel('fastify-google-id-token:keys:failed'),
  tokenVerified: channel('fastify-google-id-token:token:verified'),
  tokenRejected: channel('fastify-google-id-token:token:rejected'),
}
