import { warnAtStart, type Logger } from '../checks/injected.ts'
import { parseStrings, invalidOption } from '../checks/invalid-option.ts'

/**
 * The audiences of a service: every accepted spelling, with the configured audience that it stands
 * for.
 */
export interface Audiences {
  /** As configured. */
  readonly configured: readonly string[]
  /** Accepted `aud` claim → the configured audience that it matches. */
  readonly spellings: ReadonlyMap<string, string>
}

const ORIGIN = /^https?:\/\/[^/?#]+(\/?)$/

/**
 * Exact match, with one exception: an origin and the same origin followed by `/` are one audience.
 * Google's own samples use both, and Cloud Run accepts both.
 */
export function parseAudiences(name: string, value: unknown): Audiences {
  const configured = parseStrings(
    name,
    value,
    'a non-empty string or a non-empty list of them: the URLs of this service and its custom audiences',
  )
  for (const audience of configured) {
    // No real audience has these characters. A value from an environment variable may have them by
    // mistake.
    if (/[\s,]/.test(audience)) {
      throw invalidOption(name, value, 'each audience as a string of its own, without , or space')
    }
  }
  const spellings = new Map<string, string>()
  for (const audience of configured) {
    const origin = ORIGIN.exec(audience)
    if (origin !== null) {
      spellings.set(origin[1] === '/' ? audience.slice(0, -1) : `${audience}/`, audience)
    }
  }
  for (const audience of configured) spellings.set(audience, audience)
  return { configured, spellings }
}

const HOST = /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?::[0-9]+)?(?:\/.*)?$/i
/** An OAuth client ID, which is a valid audience although it looks like a host. */
const CLIENT_ID = '.apps.googleusercontent.com'

/**
 * Warns about audiences that look like a host: callers ask for the URL of a service, with
 * `https://`. They are not refused, because a custom audience may be any string.
 */
export function warnAboutHosts(audiences: readonly string[], logger: Logger): void {
  const hosts = audiences.filter((audience) => HOST.test(audience) && !audience.endsWith(CLIENT_ID))
  for (const host of new Set(hosts)) {
    warnAtStart(
      logger,
      `the audience ${host} has no https://, and matches no token that is for https://${host}; leave it only if it is a custom audience, spelled like this`,
    )
  }
}
