import { parseAllowedCallers, type AllowedCaller, type AllowedCallers } from './allowed-callers.ts'
import { parseAudiences, type Audiences } from './audiences.ts'
import { parseNames, invalidOption } from '../checks/invalid-option.ts'

/** Who may call one route, as its author writes it. */
export interface RoutePolicy {
  /** Replaces the default list. */
  allowedCallers?: readonly AllowedCaller[] | undefined
  /** Replaces the default audience. */
  audience?: string | readonly string[] | undefined
  /**
   * A request without a token gets in, and its caller is `null`. A request with a token is verified
   * like any other. Default `false`.
   */
  optional?: boolean | undefined
}

/** Who may call, compiled at start. */
export interface AccessPolicy {
  readonly optional: boolean
  /** `null`: every verified caller. */
  readonly allowedCallers: AllowedCallers | null
  readonly audiences: Audiences
}

/** The same with a list of callers. */
export type ListedPolicy = AccessPolicy & { readonly allowedCallers: AllowedCallers }

/**
 * Parses and compiles a policy over its defaults.
 *
 * @throws TypeError naming what is wrong
 */
export function parsePolicy(
  where: string,
  value: unknown,
  defaults: AccessPolicy,
  accepted?: string,
): AccessPolicy {
  const policy = parseNames(where, value, ['allowedCallers', 'audience', 'optional'], accepted)
  const { allowedCallers, audience, optional } = policy
  if (optional !== undefined && typeof optional !== 'boolean') {
    throw invalidOption(`${where}.optional`, optional, 'true or false')
  }
  return {
    optional: optional ?? false,
    allowedCallers:
      allowedCallers === undefined
        ? defaults.allowedCallers
        : parseAllowedCallers(`${where}.allowedCallers`, allowedCallers),
    audiences:
      audience === undefined ? defaults.audiences : parseAudiences(`${where}.audience`, audience),
  }
}

/**
 * Default deny: an audience alone lets any Google customer in.
 *
 * @param name - the option that would hold the list
 * @throws TypeError if there is no list of callers
 */
export function requireList(name: string, policy: AccessPolicy): ListedPolicy {
  if (hasList(policy)) return policy
  throw missingList(name)
}

/** The error for a guard without a list of callers. */
export function missingList(name: string): TypeError {
  return invalidOption(
    name,
    undefined,
    'a list of callers here, a default one in allowedCallers, or, for what is open to anyone, no guard (in Fastify config.idToken: false); an audience alone lets any Google customer in',
  )
}

/** Whether there is a list of callers. */
export function hasList(policy: AccessPolicy): policy is ListedPolicy {
  return policy.allowedCallers !== null
}
