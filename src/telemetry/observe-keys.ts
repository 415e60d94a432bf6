import type { KeyEvents, KeyFailure } from '../keys/remote-key-set.ts'
import { channels, type KeysFailedMessage, type KeysRefreshedMessage } from './channels.ts'
import type { Metrics } from './metrics.ts'

/** Where events of the keys are reported. */
export interface KeyObservers {
  readonly uri: string
  readonly metrics: Metrics
  readonly logger: { readonly warn: (finding: object, message: string) => void }
  /** Milliseconds; must never stand still. */
  readonly steadyNow: () => number
}

const WARNING_INTERVAL = 60_000

const FAILED: Readonly<Record<KeyFailure['state'], string>> = {
  fresh: 'the keys of ID tokens could not be refreshed yet; the current ones are still fresh',
  stale:
    'the keys of ID tokens could not be refreshed; the last good ones are used past their lifetime',
  none: 'no keys to verify ID tokens with: requests are answered 503',
}

/** Logs, counts and publishes what happens to the keys. */
export function observeKeys(observers: KeyObservers): KeyEvents {
  const { uri, metrics, logger } = observers
  const warnOfFailure = atMostOnceAMinute(observers)
  const warnOfStore = atMostOnceAMinute(observers)
  return {
    refreshed: ({ keys, lifetime }, skipped) => {
      metrics.keyFetch('ok')
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
    failed: ({ reason, state, retryIn }) => {
      metrics.keyFetch('failed')
      const retryInSeconds = Math.ceil(retryIn) / 1000
      const message: KeysFailedMessage = { uri, reason, state, retryInSeconds }
      warnOfFailure(message, FAILED[state])
      channels.keysFailed.publish(message)
    },
    storeFailed: (action, reason) => {
      warnOfStore({ action, reason }, 'the key store failed')
    },
  }
}

/** An outage lasts for many requests, but one line a minute is enough. */
function atMostOnceAMinute({ logger, steadyNow }: KeyObservers): KeyObservers['logger']['warn'] {
  let quietUntil = -Infinity
  return (finding, message) => {
    const now = steadyNow()
    if (now < quietUntil) return
    quietUntil = now + WARNING_INTERVAL
    logger.warn(finding, message)
  }
}
