import { failsafe, type Logger } from '../checks/injected.ts'
import type { TokenSource } from '../errors/recognised-mistakes.ts'
import type { KeyEvents, KeyFailure } from '../keys/remote-key-set.ts'
import { onceAMinute } from '../pacing/once-a-minute.ts'
import {
  channels,
  type KeysFailedMessage,
  type KeysRefreshedMessage,
} from './diagnostics-channels.ts'
import type { Metrics } from './metrics.ts'

/** Where events of the keys are reported. */
export interface KeyObservers {
  readonly uri: string
  readonly source: TokenSource
  readonly metrics: Metrics
  readonly logger: Logger
  /** Milliseconds; must never stand still. */
  readonly steadyNow: () => number
}

const TOKENS: Readonly<Record<TokenSource, string>> = {
  'id-token': 'ID tokens',
  iap: 'assertions of IAP',
}

const FAILED: Readonly<Record<KeyFailure['state'], (tokens: string) => string>> = {
  fresh: (tokens) =>
    `the keys of ${tokens} could not be refreshed yet; the current ones are still fresh`,
  stale: (tokens) =>
    `the keys of ${tokens} could not be refreshed; the last good ones are used past their lifetime`,
  none: (tokens) => `no keys to verify ${tokens} with: requests are answered 503`,
}

/** Logs, counts and publishes what happens to the keys. */
export function observeKeys(observers: KeyObservers): KeyEvents {
  const { uri, source, metrics, steadyNow } = observers
  // Nobody catches what a logger throws here.
  const logger = failsafe(observers.logger)
  const mayLogFailure = onceAMinute(steadyNow)
  const mayLogStoreFailure = onceAMinute(steadyNow)
  return {
    refreshed: ({ keys, lifetime }, skipped, took) => {
      metrics.keyFetch({ outcome: 'ok', source, took })
      if (skipped.length > 0)
        logger.warn({ uri, skipped }, 'unusable keys of the JWK set are ignored')
      const keyIds = [...keys.keys()]
      channels.keysRefreshed.publish({
        uri,
        keyIds,
        lifetimeSeconds: lifetime / 1000,
        skipped,
      } satisfies KeysRefreshedMessage)
    },
    failed: ({ reason, state, retryIn, took }) => {
      metrics.keyFetch({ outcome: 'failed', source, took })
      const retryInSeconds = Math.ceil(retryIn) / 1000
      const message: KeysFailedMessage = { uri, reason, state, retryInSeconds }
      if (mayLogFailure()) logger.warn(message, FAILED[state](TOKENS[source]))
      channels.keysFailed.publish(message)
    },
    storeFailed: (action, reason) => {
      if (mayLogStoreFailure()) logger.warn({ action, reason }, 'the key store failed')
    },
  }
}
