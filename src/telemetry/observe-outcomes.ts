import type { Caller } from '../policy/caller.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import {
  channels,
  type TokenRejectedMessage,
  type TokenVerifiedMessage,
} from './diagnostics-channels.ts'
import type { Metrics, VerifiedAt } from './metrics.ts'

/** Gets every outcome: its error, or its caller (`null` for an anonymous request). */
export type ObserveOutcome = (error: unknown, caller: Caller | null, at: VerifiedAt) => void

/** Counts outcomes, and publishes them to subscribers. */
export function observeOutcomes(metrics: Metrics): ObserveOutcome {
  return (error, caller, at) => {
    metrics.outcome(error, caller, at)
    if (caller !== null && channels.tokenVerified.hasSubscribers) {
      channels.tokenVerified.publish({ caller } satisfies TokenVerifiedMessage)
    }
    if (error instanceof IdTokenError && channels.tokenRejected.hasSubscribers) {
      const { code, detail } = error
      channels.tokenRejected.publish({ code, detail } satisfies TokenRejectedMessage)
    }
  }
}
