import { warnOfPlainHttp } from '../checks/secure-url.ts'
import { steadyClock } from '../pacing/steady-clock.ts'
import { outgoingRequest, type FetchInput } from './outgoing-request.ts'
import { send, type TokenSupply } from './send.ts'
import { ServiceClientError } from './service-client-error.ts'
import {
  parseServiceClientOptions,
  type ServiceClientOptions,
  type ServiceClientSettings,
} from './service-client-options.ts'
import { sharedIdToken } from './share-id-tokens.ts'
import { headersOf } from './token-headers.ts'
import { withinTime } from './within-time.ts'

/** Calls one service with Google-signed ID tokens. Its functions need no `this`. */
export interface ServiceClient {
  /**
   * Like the global `fetch`, with URLs relative to the service and with an ID token.
   *
   * @throws ServiceClientError if there is no token, or the URL has another origin
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /**
   * An ID token for the service, for calls that do not use `fetch`.
   *
   * @throws ServiceClientError if there is no token
   */
  readonly idToken: (options?: { signal?: AbortSignal | undefined }) => Promise<string>
  /**
   * The headers with an ID token for the service, for axios, got, gRPC metadata or anything else
   * that sends requests. Call it for each request: a token is valid for an hour at most.
   *
   * Their names are in lower case. If you follow a redirect to another origin, remove them first.
   *
   * @throws ServiceClientError where no token can be had
   */
  readonly headers: (options?: {
    signal?: AbortSignal | undefined
  }) => Promise<Record<string, string>>
  /** Refuses new calls. Calls in progress end by themselves. */
  readonly close: () => void
  /** The audience of the tokens. */
  readonly audience: string
}

/**
 * Makes a client for one service.
 *
 * Nothing is loaded or fetched before the first call. Clients with the same credentials and
 * audience share one token.
 *
 * @throws TypeError naming the option that is wrong and what is accepted
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const settings = parseServiceClientOptions(options)
  const { fetch, tokenHeaders, url, audience } = settings
  warnOfExposedTokens(settings)
  const tokens = tokenSupply(settings)
  let closed = false
  function requireOpen(): void {
    if (closed) throw new ServiceClientError('SERVICE_CLIENT_CLOSED')
  }
  function idToken(signal: AbortSignal | undefined): string | Promise<string> {
    requireOpen()
    signal?.throwIfAborted()
    return tokens.get(signal)
  }
  return Object.freeze<ServiceClient>({
    async fetch(input: FetchInput, init?: RequestInit) {
      requireOpen()
      const request = outgoingRequest(input, init, url)
      request.signal?.throwIfAborted()
      return send(request, { fetch, tokenHeaders, url, tokens })
    },
    async idToken({ signal } = {}) {
      return idToken(signal)
    },
    async headers({ signal } = {}) {
      return headersOf(await idToken(signal), tokenHeaders)
    },
    close() {
      closed = true
    },
    audience,
  })
}

function warnOfExposedTokens({ url, serviceAccount, logger }: ServiceClientSettings): void {
  warnOfPlainHttp(logger, { option: 'url', url: url.href, exposed: 'ID tokens' })
  if (serviceAccount?.endpoint === undefined) return
  const { endpoint } = serviceAccount
  const exposed = 'access tokens and ID tokens'
  warnOfPlainHttp(logger, { option: 'serviceAccount.endpoint', url: endpoint, exposed })
}

function tokenSupply(settings: ServiceClientSettings): TokenSupply {
  const { timeout, logger } = settings
  const terms = { ...settings, steadyNow: steadyClock(settings.now) }
  const shared = sharedIdToken(settings)
  const inTime = (
    token: string | Promise<string>,
    signal: AbortSignal | undefined,
  ): string | Promise<string> =>
    typeof token === 'string' ? token : withinTime(token, { timeout, signal })
  return {
    get: (signal) => inTime(shared.get(terms), signal),
    async replace(refused, signal) {
      const replacement = shared.replace(refused, terms)
      if (replacement === null) return null
      try {
        const token = await inTime(replacement, signal)
        return token === refused ? null : token
      } catch (error) {
        // If the caller aborts, that is thrown. After other failures the caller gets the 401.
        if (!(error instanceof ServiceClientError)) throw error
        const { code, detail } = error
        logger.warn(
          { code, detail, audience: settings.audience },
          'A service has refused an ID token, and there is no other one',
        )
        return null
      }
    },
  }
}
