import type { Logger } from '../checks/injected.ts'
import { Backoff } from '../pacing/backoff.ts'
import { RefetchBudget } from '../pacing/refetch-budget.ts'
import { SingleFlight } from '../pacing/single-flight.ts'
import { withinTime } from './within-time.ts'
import { classifyFailure } from './classify-failure.ts'
import { agreesWithClock, CLOCK_TOLERANCE, clockWarning, usableUntil } from './clock-difference.ts'
import type { IdTokenSource } from './id-token-source.ts'
import { parseIdToken, type ReceivedIdToken } from './parse-id-token.ts'
import type { ServiceClientError } from './service-client-error.ts'

/** The settings of a client that asks for a token. */
export interface TokenTerms {
  /** A token is replaced this many milliseconds before it expires. */
  readonly refreshBefore: number
  /** Milliseconds after which a fetch has failed. */
  readonly timeout: number
  /** Milliseconds since the epoch, for the age of tokens. */
  readonly now: () => number
  /** Milliseconds since an arbitrary moment, for waits; the clock never stands still. */
  readonly steadyNow: () => number
  readonly logger: Logger
}

/** The current token; times are milliseconds since the epoch, by the clock of this machine. */
interface CurrentToken {
  readonly token: string
  readonly fetchedAt: number
  /** After this time it is not sent. */
  readonly usableUntil: number
  /** By this clock it had expired when it came, so another one is needed at once. */
  readonly expiredOnArrival: boolean
}

/**
 * The ID token of one set of credentials for one audience. The whole process shares it.
 *
 * Only requests cause fetches: between requests an instance on Cloud Run may have no CPU, and a
 * timer would stand still.
 */
export class SharedIdToken {
  readonly #audience: string
  readonly #open: () => Promise<IdTokenSource>
  readonly #backoff = new Backoff(Math.random)
  readonly #budget = new RefetchBudget()
  #source: Promise<IdTokenSource> | null = null
  readonly #flights = new SingleFlight<string>()
  #current: CurrentToken | null = null
  /** Whether there was a warning about the clock, and no later token has agreed with the clock. */
  #warnedOfClock = false

  constructor(audience: string, open: () => Promise<IdTokenSource>) {
    this.#audience = audience
    this.#open = open
  }

  /** The current token, or the result of the fetch in progress. */
  get(terms: TokenTerms): string | Promise<string> {
    const now = terms.now()
    const current = this.#current
    if (current === null || !(now < current.usableUntil)) return this.#join(terms)
    if (isDue(current, now, terms)) this.#refresh(terms)
    return current.token
  }

  /** Another token than the one that the service has refused; `null` if none may be fetched. */
  replace(refused: string, terms: TokenTerms): string | Promise<string> | null {
    if (this.#current !== null && this.#current.token !== refused) return this.get(terms)
    const now = terms.steadyNow()
    return this.#flights.inProgress(now) !== null || this.#budget.take(now)
      ? this.#join(terms)
      : null
  }

  /** A fetch that nobody waits for. */
  #refresh(terms: TokenTerms): void {
    const now = terms.steadyNow()
    if (this.#flights.inProgress(now) !== null || this.#backoff.remaining(now) > 0) return
    const { timeout } = terms
    withinTime(this.#join(terms), { timeout }).catch((error: unknown) => {
      const { code, detail } = error as ServiceClientError
      terms.logger.warn(
        { code, detail, audience: this.#audience },
        'The ID token for a service could not be replaced; the current one is used until it expires',
      )
    })
  }

  #join(terms: TokenTerms): Promise<string> {
    const now = terms.steadyNow()
    return (
      this.#flights.inProgress(now) ??
      this.#flights.start((number) => this.#fetch(number, terms), {
        giveUpAt: now + terms.timeout,
        // google-auth-library takes no signal, so a fetch that hangs cannot be ended.
        giveUp: () => {
          this.#backoff.failed(terms.steadyNow())
        },
      })
    )
  }

  async #fetch(number: number, terms: TokenTerms): Promise<string> {
    try {
      const received = parseIdToken(await (await this.#openSource())(this.#audience))
      if (this.#flights.claimNewest(number)) this.#accept(received, terms)
      return received.token
    } catch (error) {
      this.#backoff.failed(terms.steadyNow())
      throw classifyFailure(error)
    }
  }

  /**
   * A token that has expired by this clock is used anyway: if the clock is ahead, the service
   * accepts it. The next fetch waits as after a failure: it may bring no better token. But a token
   * that is valid by this clock is not replaced by an expired one.
   */
  #accept(received: ReceivedIdToken, terms: TokenTerms): void {
    const now = terms.now()
    const expiredOnArrival = received.expiresAt <= now
    if (expiredOnArrival) this.#backoff.failed(terms.steadyNow())
    else this.#backoff.succeeded()
    if (!(expiredOnArrival && isGood(this.#current, now))) {
      this.#current = {
        token: received.token,
        fetchedAt: now,
        usableUntil: usableUntil(received, now),
        expiredOnArrival,
      }
    }
    this.#warn(received, now, terms.logger)
  }

  #openSource(): Promise<IdTokenSource> {
    this.#source ??= this.#open().catch((error: unknown) => {
      this.#source = null
      throw error
    })
    return this.#source
  }

  #warn(received: ReceivedIdToken, now: number, logger: Logger): void {
    const audience = this.#audience
    if (received.audience !== audience) logger.warn({ audience }, FOR_ANOTHER)
    const agrees = agreesWithClock(received, now)
    if (!agrees && !this.#warnedOfClock) {
      const { finding, message } = clockWarning(received, now)
      logger.warn({ audience, ...finding }, message)
    }
    this.#warnedOfClock = !agrees
  }
}

const FOR_ANOTHER =
  'Google has issued an ID token for another audience than the one that was asked for, so the service will refuse it; the credentials of a person cannot choose the audience: name a service account in the option serviceAccount'

function isGood(current: CurrentToken | null, now: number): boolean {
  return current !== null && !current.expiredOnArrival && now < current.usableUntil
}

/**
 * Whether a token is to be replaced in the background. A token that has little time left when it
 * comes is not replaced at once: a metadata server may give the same token for a while.
 */
function isDue(current: CurrentToken, now: number, { refreshBefore }: TokenTerms): boolean {
  const { fetchedAt, usableUntil, expiredOnArrival } = current
  // If the clock shows a time before the fetch, it has been set back, and the times above mean nothing.
  if (expiredOnArrival || now < fetchedAt - CLOCK_TOLERANCE) return true
  return now >= usableUntil - Math.min(refreshBefore, (usableUntil - fetchedAt) / 2)
}
