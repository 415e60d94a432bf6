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
   * What the global `fetch` does, with URLs relative to the service and with an ID token.
   *
   * @throws ServiceClientError where no token can be had, or the URL is of another origin
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /**
   * An ID token for the service, for what does not go through `fetch`.
   *
   * @throws ServiceClientError where none can be had
   */
  readonly idToken: (options?: { signal?: AbortSignal | undefined }) => Promise<string>
  /**
   * The headers with an ID token for the service, for axios, got, gRPC metadata or anything else that
   * sends requests. Ask anew for each request: a token lives for an hour at most.
   *
   * Their names are in lower case. Where you follow redirects, take them off before another origin.
   *
   * @throws ServiceClientError where no token can be had
   */
  readonly headers: (options?: {
    signal?: AbortSignal | undefined
  }) => Promise<Record<string, string>>
  /** Refuses calls from now on. What is under way ends by itself. */
  readonly close: () => void
  /** Whom the tokens are for. */
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
        // The caller's own abort is no reason to answer.
        if (!(error instanceof ServiceClientError)) throw error
        const { code, detail } = error
        logger.warn(
          { code, detail, audience: settings.audience },
          'A service has refused an ID token, and no other could be had',
        )
        return null
      }
    },
  }
}
