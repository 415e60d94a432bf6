import { warnAboutHosts } from '../../policy/audiences.ts'
import { warnAtStart } from '../../checks/injected.ts'
import type { AccessPolicy } from '../../policy/access-policy.ts'
import { REPORT_ONLY } from '../guard-options.ts'
import type { VerifierSettings } from '../../verifier/verifier-options.ts'
import type { DeclaredRoutes } from './declared-routes.ts'
import { routeNames } from './route-config.ts'
import type { RouteAccess } from './types.ts'

/** Warns if the app has routes that are not known here. */
export function warnOfUnknownRoutes(routes: DeclaredRoutes, { logger }: VerifierSettings): void {
  if (routes.incomplete) warnAtStart(logger, UNKNOWN_ROUTES)
}

/** Warns, once the app is ready, about what is allowed but probably a mistake. */
export function warnOfLikelyMistakes(
  routes: DeclaredRoutes,
  rows: readonly RouteAccess[],
  { logger, defaultPolicy }: VerifierSettings,
): void {
  if (!routes.incomplete && rows.length === 0) {
    // If the app itself has the guard, no route is open by mistake.
    warnAtStart(logger, routes.nested ? `${NO_ROUTES}; ${NESTED_REMEDY}` : NO_ROUTES)
  }
  const known = new Set(defaultPolicy.audiences.configured)
  const own = rows.flatMap(({ audience }) => audience).filter((audience) => !known.has(audience))
  warnAboutHosts(own, logger)
}

/** Warns, at every start, that requests are let in which enforcing would refuse. */
export function warnOfReportOnly(
  rows: readonly RouteAccess[],
  { reportOnly }: AccessPolicy,
  { logger }: VerifierSettings,
): void {
  const reported = rows.filter((row) => row.reportOnly)
  if (!reportOnly && reported.length === 0) return
  const enforced = rows.filter((row) => row.access !== 'open' && row.reportOnly !== true)
  const except = enforced.length === 0 ? '' : `, except ${routeNames(enforced)}`
  const where = reportOnly ? `every guarded route${except}` : routeNames(reported)
  warnAtStart(logger, `reportOnly is on for ${where}: ${REPORT_ONLY}`)
}

const UNKNOWN_ROUTES =
  "routes were declared before fastify-google-id-token was loaded: they are guarded, but neither checked at start-up nor listed; write import 'fastify-google-id-token' in the file that makes the app"

const NO_ROUTES =
  'fastify-google-id-token guards nothing: the scope in which it is registered holds no route'

const NESTED_REMEDY =
  'wrap the plugin function that registers it with fastify-plugin, or register it on the app itself'
