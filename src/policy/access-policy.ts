import {
  NO_CALLERS,
  parseAllowedCallers,
  type AllowedCaller,
  type AllowedCallers,
} from './allowed-callers.ts'
import { parseAudiences, type Audiences } from './audiences.ts'
import { parseNames, invalidOption } from '../checks/invalid-option.ts'
import { parseBoolean } from '../checks/parse-options.ts'

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

/** The same for a route that a guard of a framework protects. */
export interface GuardPolicy extends RoutePolicy {
  /**
   * Every request is checked, logged and counted as usual, and none is refused. The list of callers
   * may be missing or empty. Default: the option `reportOnly`.
   */
  reportOnly?: boolean | undefined
}

/** Who may call, compiled at start. */
export interface AccessPolicy {
  readonly optional: boolean
  /** Whether refused requests are let in as well. */
  readonly reportOnly: boolean
  /** `null`: every verified caller. */
  readonly allowedCallers: AllowedCallers | null
  readonly audiences: Audiences
}

/** The same with a list of callers. */
export type ListedPolicy = AccessPolicy & { readonly allowedCallers: AllowedCallers }

const NAMES = ['allowedCallers', 'audience', 'optional'] as const satisfies (keyof RoutePolicy)[]

/**
 * Parses and compiles the policy that is given to a method of the verifier. What it leaves out
 * comes from `defaults`.
 *
 * @throws TypeError naming what is wrong
 */
export function parsePolicy(where: string, value: unknown, defaults: AccessPolicy): AccessPolicy {
  return compile(where, parseNames(where, value, NAMES), { ...defaults, reportOnly: false })
}

/**
 * Parses and compiles the policy of a guard over its defaults.
 *
 * @throws TypeError naming what is wrong
 */
export function parseGuardPolicy(
  where: string,
  value: unknown,
  defaults: AccessPolicy,
  accepted?: string,
): AccessPolicy {
  const policy = parseNames(where, value, [...NAMES, 'reportOnly'], accepted)
  const reportOnly =
    policy.reportOnly === undefined
      ? defaults.reportOnly
      : parseBoolean(`${where}.reportOnly`, policy.reportOnly)
  return compile(where, policy, { ...defaults, reportOnly })
}

function compile(
  where: string,
  { allowedCallers, audience, optional }: Readonly<Record<string, unknown>>,
  defaults: AccessPolicy,
): AccessPolicy {
  return {
    reportOnly: defaults.reportOnly,
    optional: optional === undefined ? false : parseBoolean(`${where}.optional`, optional),
    allowedCallers:
      allowedCallers === undefined
        ? defaults.allowedCallers
        : parseList(`${where}.allowedCallers`, allowedCallers, defaults.reportOnly),
    audiences:
      audience === undefined ? defaults.audiences : parseAudiences(`${where}.audience`, audience),
  }
}

/**
 * Parses a list of callers. Where requests are only reported, it may be empty: then it counts as
 * missing.
 *
 * @throws TypeError naming the entry
 */
export function parseList(
  name: string,
  value: unknown,
  reportOnly: boolean,
): AllowedCallers | null {
  const isEmpty = Array.isArray(value) && value.length === 0
  return isEmpty && reportOnly ? null : parseAllowedCallers(name, value)
}

/**
 * Default deny: an audience alone lets any Google customer in.
 *
 * @param name - the option that would hold the list
 * @throws TypeError if there is no list of callers
 */
export function requireList(name: string, policy: AccessPolicy): ListedPolicy {
  const listed = withList(policy)
  if (listed === undefined) throw missingList(name)
  return listed
}

/**
 * The policy with its list of callers; `undefined` if it has none, as enforcing needs one. Where
 * requests are only reported and no list is given, the reports say what default deny would do:
 * nobody is listed.
 */
export function withList(policy: AccessPolicy): ListedPolicy | undefined {
  if (hasList(policy)) return policy
  return policy.reportOnly ? { ...policy, allowedCallers: NO_CALLERS } : undefined
}

/** The error for a guard without a list of callers. */
export function missingList(name: string): TypeError {
  return invalidOption(
    name,
    undefined,
    'a list of callers here, a default one in allowedCallers, or, for what is open to anyone, no guard (in Fastify config.idToken: false); an audience alone lets any Google customer in',
  )
}

function hasList(policy: AccessPolicy): policy is ListedPolicy {
  return policy.allowedCallers !== null
}
