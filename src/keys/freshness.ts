import type CachePolicy from 'http-cache-semantics'

/** Response headers with lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string>>

const MINUTE = 60_000
/** An endpoint that forbids or mistypes caching must not be asked at every request. */
const SHORTEST = MINUTE
/** A key that is withdrawn must not live on for a month because of one wrong header. */
const LONGEST = 24 * 60 * MINUTE
/** For answers that say nothing about caching. */
const UNTOLD = 10 * MINUTE

const TELLS_FRESHNESS = /(?:^|[\s,])(?:max-age|no-store|no-cache)(?=[\s,=]|$)/

/**
 * For how long an answer is fresh from its arrival, in milliseconds: RFC 9111 section 4.2, that is
 * max-age or Expires less the age that it arrives with, within bounds.
 */
export type FreshnessLifetime = (headers: ResponseHeaders) => number

/**
 * Loads what computes it. Only a fetch needs the library, and loading it takes as long as a third of
 * this package: a fetch loads it while it waits for its answer, so that no import has to.
 */
export function loadFreshnessLifetime(): Promise<FreshnessLifetime> {
  loaded ??= import('http-cache-semantics').then(
    ({ default: Policy }) =>
      (headers) =>
        lifetimeBy(Policy, headers),
  )
  return loaded
}

let loaded: Promise<FreshnessLifetime> | undefined

function lifetimeBy(Policy: typeof CachePolicy, headers: ResponseHeaders): number {
  // Directives are case-insensitive (RFC 9111 section 5.2), which the library does not know.
  const directives = headers['cache-control']?.toLowerCase() ?? ''
  if (headers.expires === undefined && !TELLS_FRESHNESS.test(directives)) return UNTOLD
  const policy = new Policy(
    { method: 'GET', headers: {} },
    { status: 200, headers: { ...headers, 'cache-control': directives } },
    { shared: false },
  )
  // Whole seconds, as all times are in RFC 9111 (section 1.2.2): the library counts the milliseconds
  // since the answer arrived.
  const lifetime = Math.round(policy.maxAge() - policy.age()) * 1000
  return Math.min(Math.max(lifetime, SHORTEST), LONGEST)
}

/** The bound on a lifetime, for one that was stored. */
export function boundedLifetime(lifetime: number): number {
  return Math.min(Math.max(lifetime, 0), LONGEST)
}

/**
 * The headers of a stored answer after a 304: the new ones over the old (RFC 9111 section 3.2),
 * except that the old age is not the new one's.
 */
export function freshenedHeaders(
  stored: ResponseHeaders,
  notModified: ResponseHeaders,
): ResponseHeaders {
  const kept: Record<string, string> = { ...stored }
  delete kept.age
  return { ...kept, ...notModified }
}
