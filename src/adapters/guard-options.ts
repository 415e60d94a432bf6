import { parseObjectWith, type Logger } from '../checks/injected.ts'
import { invalidOption, parseNames, parseNumber } from '../checks/invalid-option.ts'
import { parseBoolean } from '../checks/parse-options.ts'
import { steadyClock } from '../pacing/steady-clock.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import { AuditLog, type InfoLogger } from '../telemetry/audit-log.ts'
import { spanMarker, type SpanOutcome, type TracingOptions } from '../telemetry/mark-span.ts'
import { RefusalLimit } from '../telemetry/refusal-limit.ts'
import { createVerifierCore, type VerifierCore } from '../verifier/create-verifier.ts'
import { OPTION_NAMES, type VerifierOptions } from '../verifier/verifier-options.ts'

/** The options of the Fastify plugin and of the Express guards: those of the verifier, and these. */
export interface GuardOptions extends VerifierOptions {
  /**
   * Every request is checked, logged and counted as usual, and none is refused: to see who calls
   * before anyone is refused. Lists may be missing or empty. The `reportOnly` of a route takes
   * precedence. The methods of the verifier still throw. Default `false`.
   */
  reportOnly?: boolean | undefined
  /**
   * Who calls what, in the log: one `info` line when this instance first sees a combination of
   * route, caller and outcome, and then one line per interval with the number of requests. At most
   * 1,000 combinations; the others are counted together. Needs a logger with `info`. Default
   * `false`.
   */
  auditLog?: boolean | AuditLogOptions | undefined
  /**
   * `'limited'`: for each code on each route, at most 10 refusals a minute are logged one by one,
   * and the others are counted in one line. `'all'`: every refusal is logged. Default `'limited'`.
   */
  refusalLog?: 'limited' | 'all' | undefined
  /** Puts outcomes on the span of the request. Default: none. */
  tracing?: TracingOptions | undefined
}

/** How the audit log is written. */
export interface AuditLogOptions {
  /** Seconds between two lines about one combination: 1 to 86400. Default 3600. */
  intervalSeconds?: number | undefined
}

/** What `reportOnly` means, for the warnings at start. */
export const REPORT_ONLY = 'requests are verified and logged, and all of them are let in'

/** The names of these options. */
const GUARD_NAMES = [
  'reportOnly',
  'auditLog',
  'refusalLog',
  'tracing',
] as const satisfies readonly (keyof GuardOptions)[]

/** What guards are made of. */
export interface GuardParts {
  readonly core: VerifierCore
  /** The policy of a route without one of its own; its list may be missing. */
  readonly defaults: AccessPolicy
  /** Where outcomes are reported. */
  readonly reports: GuardReports
}

/** What guards tell of the outcomes. */
export interface GuardReports {
  /** `null`: nothing is audited. */
  readonly auditLog: AuditLog | null
  /** `null`: every refusal is logged. */
  readonly refusalLimit: RefusalLimit | null
  readonly markSpan: ((outcome: SpanOutcome) => void) | null
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
  const defaults = { ...core.settings.defaultPolicy, reportOnly }
  return { core, defaults, reports: parseReports(options, core, adapter) }
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

function parseReports(
  { auditLog, refusalLog = 'limited', tracing, logger }: Readonly<Record<string, unknown>>,
  { settings }: VerifierCore,
  adapter: AdapterOptions,
): GuardReports {
  if (refusalLog !== 'all' && refusalLog !== 'limited') {
    throw invalidOption('refusalLog', refusalLog, "'limited' or 'all'")
  }
  const { now } = settings
  const steadyNow = steadyClock(now)
  const interval = parseInterval(auditLog)
  return {
    refusalLimit: refusalLog === 'all' ? null : new RefusalLimit(steadyNow),
    markSpan: tracing === undefined ? null : spanMarker(parseTracing(tracing)),
    auditLog:
      interval === null
        ? null
        : new AuditLog({
            interval,
            now,
            steadyNow,
            logger: parseInfoLogger(logger ?? adapter.logger),
          }),
  }
}

/** Milliseconds; `null` without an audit log. */
function parseInterval(value: unknown = false): number | null {
  if (value === false) return null
  const accepted = 'true, false, or an object with intervalSeconds'
  const { intervalSeconds = 3_600 } =
    value === true ? {} : parseNames('auditLog', value, ['intervalSeconds'], accepted)
  const bounds = { min: 1, max: 86_400, unit: 'seconds' }
  return parseNumber('auditLog.intervalSeconds', intervalSeconds, bounds) * 1000
}

/** Without a logger the lines would go nowhere. */
function parseInfoLogger(logger: unknown): InfoLogger {
  const accepted = 'with auditLog, a logger with info(object, message)'
  const parsed = parseObjectWith('logger', logger, 'info', accepted)
  if (parsed === undefined) throw invalidOption('logger', logger, accepted)
  return parsed as InfoLogger
}

function parseTracing(value: unknown): TracingOptions {
  const { trace, caller = false } = parseNames('tracing', value, ['trace', 'caller'])
  const accepted = 'the trace of @opentelemetry/api'
  const parsed = parseObjectWith('tracing.trace', trace, 'getActiveSpan', accepted)
  if (parsed === undefined) throw invalidOption('tracing.trace', trace, accepted)
  return {
    trace: parsed as TracingOptions['trace'],
    caller: parseBoolean('tracing.caller', caller),
  }
}
