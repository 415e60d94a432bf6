import type CachePolicy from 'http-cache-semantics'

/** Response headers with lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string>>

const MINUTE = 60_000
/**
 * If an endpoint forbids caching or has a wrong header, it still must not be asked at every
 * request.
 */
const SHORTEST = MINUTE
/** A withdrawn key must not be used for another month because of one wrong header. */
const LONGEST = 24 * 60 * MINUTE
/** For answers that say nothing about caching. */
const DEFAULT_LIFETIME = 10 * MINUTE

const STATES_FRESHNESS = /(?:^|[\s,])(?:max-age|no-store|no-cache)(?=[\s,=]|$)/

/**
 * How long an answer is fresh after its arrival, in milliseconds, within bounds. RFC 9111 section
 * 4.2: max-age or Expires, less the age that the answer arrives with.
 */
export type FreshnessLifetime = (headers: ResponseHeaders) => number

/**
 * Loads the function that computes the lifetime. Only a fetch needs the library, and loading it
 * takes a third of the time that this package takes. So a fetch loads it while it waits for its
 * answer.
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
  // Directives are case-insensitive (RFC 9111 section 5.2), but the library compares them exactly.
  const directives = headers['cache-control']?.toLowerCase() ?? ''
  if (headers.expires === undefined && !STATES_FRESHNESS.test(directives)) return DEFAULT_LIFETIME
  const policy = new Policy(
    { method: 'GET', headers: {} },
    { status: 200, headers: { ...headers, 'cache-control': directives } },
    { shared: false },
  )
  // RFC 9111 has whole seconds (section 1.2.2). The library also counts the milliseconds since the
  // answer arrived.
  const lifetime = Math.round(policy.maxAge() - policy.age()) * 1000
  return Math.min(Math.max(lifetime, SHORTEST), LONGEST)
}

/** A stored lifetime, within the bounds. */
export function boundedLifetime(lifetime: number): number {
  return Math.min(Math.max(lifetime, 0), LONGEST)
}

/**
 * The headers of a stored answer after a 304: the new headers replace the old ones (RFC 9111
 * section 3.2). The old age is dropped.
 */
export function freshenedHeaders(
  stored: ResponseHeaders,
  notModified: ResponseHeaders,
): ResponseHeaders {
  const kept: Record<string, string> = { ...stored }
  delete kept.age
  return { ...kept, ...notModified }
}
