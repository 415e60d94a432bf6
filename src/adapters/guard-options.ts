import type { Logger } from '../checks/injected.ts'
import { parseNames } from '../checks/invalid-option.ts'
import { parseBoolean } from '../checks/parse-options.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import { createVerifierCore, type VerifierCore } from '../verifier/create-verifier.ts'
import { OPTION_NAMES, type VerifierOptions } from '../verifier/verifier-options.ts'

/** The options of the Fastify plugin and of the Express guards: those of the verifier, and these. */
export interface GuardOptions extends VerifierOptions {
  /**
   * Every request is verified, logged and counted as ever, and let in: to see who calls before
   * anyone is refused. Lists may be missing or empty. The `reportOnly` of a route takes precedence.
   * The methods of the verifier still throw. Default `false`.
   */
  reportOnly?: boolean | undefined
}

/** What `reportOnly` means, for the warnings at start. */
export const REPORT_ONLY = 'requests are verified and logged, and all of them are let in'

/** The names of these options. */
const GUARD_NAMES = ['reportOnly'] as const satisfies readonly (keyof GuardOptions)[]

/** What guards are made of. */
export interface GuardParts {
  readonly core: VerifierCore
  /** The policy of a route without one of its own; its list may be missing. */
  readonly defaults: AccessPolicy
}

/** What an adapter adds to the options. */
export interface AdapterOptions {
  /** The options that only this adapter has. */
  readonly names?: readonly string[]
  /** The logger if the options have none. */
  readonly logger?: Logger
}

/**
 * Parses the options of guards, and makes the verifier behind them.
 *
 * @throws TypeError naming the option that is wrong, its value and what is accepted
 */
export function createGuardParts(value: unknown, adapter: AdapterOptions = {}): GuardParts {
  const names = [...OPTION_NAMES, ...GUARD_NAMES, ...(adapter.names ?? [])]
  const options = parseNames('options', value, names)
  const reportOnly =
    options.reportOnly !== undefined && parseBoolean('reportOnly', options.reportOnly)
  const core = createVerifierCore({
    ...verifierOptions(options, reportOnly),
    logger: (options.logger ?? adapter.logger) as Logger | undefined,
  })
  return { core, defaults: { ...core.settings.defaultPolicy, reportOnly } }
}

/** Where requests are only reported, an empty list counts as a missing one. */
function verifierOptions(
  options: Readonly<Record<string, unknown>>,
  reportOnly: boolean,
): VerifierOptions {
  const own = Object.fromEntries(OPTION_NAMES.map((name) => [name, options[name]]))
  const { allowedCallers } = options
  const isEmpty = Array.isArray(allowedCallers) && allowedCallers.length === 0
  if (isEmpty && reportOnly) delete own.allowedCallers
  return own as unknown as VerifierOptions
}
