import { invalidOption } from './invalid-option.ts'

/** Where warnings go: an object like a pino logger. */
export interface Logger {
  /** Logs a message, with what was found as its fields. */
  warn: (finding: object, message: string) => void
}

/** Milliseconds since the epoch, by the given clock. Default: the system's. */
export function parseClock(value: unknown): () => number {
  const clock = parseFunction('clock', value) as (() => Date) | undefined
  if (clock === undefined) return Date.now
  const time: unknown = clock()
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
    throw invalidOption('clock', value, 'a function that returns a valid Date')
  }
  return () => clock().getTime()
}

/** The function that fetches, for proxies and tests. Default: the global `fetch`. */
export function parseFetch(value: unknown): typeof globalThis.fetch {
  return (parseFunction('fetch', value) ?? GLOBAL_FETCH) as typeof globalThis.fetch
}

/** Where warnings go. Default: `process.emitWarning`. */
export function parseLogger(value: unknown): Logger {
  const accepted = 'a logger with warn(object, message)'
  return (parseObjectWith('logger', value, 'warn', accepted) ?? PROCESS_WARNINGS) as Logger
}

/**
 * Warns about a configuration. If the logger is silent or throws, the warning goes to the process,
 * so that it is not lost.
 */
export function warnAtStart(logger: Logger, message: string, finding: object = {}): void {
  try {
    logger.warn(finding, message)
    if (!isSilent(logger)) return
  } catch (problem) {
    warnProcess(problem)
  }
  PROCESS_WARNINGS.warn(finding, message)
}

/** The same logger, except that it never throws: what it throws becomes a process warning. */
export function failsafe(logger: Logger): Logger {
  return {
    warn(finding, message) {
      try {
        logger.warn(finding, message)
      } catch (problem) {
        warnProcess(problem)
      }
    },
  }
}

/** Warns the process that something given by the application has thrown. */
export function warnProcess(problem: unknown): void {
  process.emitWarning(
    problem instanceof Error ? problem : 'a value that is not an Error was thrown',
  )
}

/**
 * Fastify with `logger: false` and pino at the level `silent` have one function for all levels,
 * which does nothing.
 */
function isSilent(logger: Logger & { readonly fatal?: unknown }): boolean {
  return logger.warn === logger.fatal
}

/** An object with a method; nothing else is checked. `undefined` if none is given. */
export function parseObjectWith(
  name: string,
  value: unknown,
  method: string,
  accepted: string,
): object | undefined {
  if (value === undefined) return undefined
  if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') {
    throw invalidOption(name, value, accepted)
  }
  return value as object
}

function parseFunction(name: string, value: unknown): unknown {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidOption(name, value, 'a function')
  }
  return value
}

/**
 * For a process without a logger: Node prints the message, and listeners of `warning` also get the
 * details.
 */
const PROCESS_WARNINGS: Logger = {
  warn(finding, message) {
    const detail = Object.keys(finding).length === 0 ? undefined : JSON.stringify(finding)
    process.emitWarning(message, {
      type: 'GoogleIdTokenWarning',
      ...(detail !== undefined && { detail }),
    })
  },
}

/** Looked up at each call, so that a `fetch` that is patched later (for tracing) is used. */
const GLOBAL_FETCH: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)
