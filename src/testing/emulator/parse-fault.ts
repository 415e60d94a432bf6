import { parseNames, parseNumber, invalidOption } from '../../checks/invalid-option.ts'
import { parseBoolean, parseInteger } from '../../checks/parse-options.ts'
import type { Fault } from './fault.ts'

const NAMES = [
  'status',
  'body',
  'delayMs',
  'hang',
  'reset',
  'times',
] as const satisfies (keyof Fault)[]

/** The longest time that a timer of Node can wait. */
const LONGEST_DELAY = 2 ** 31 - 1

/**
 * Parses a fault.
 *
 * @throws TypeError naming what is wrong
 */
export function parseFault(value: unknown): Fault {
  const { status, body, delayMs, hang, reset, times } = parseNames('fault', value, NAMES)
  const delay = { min: 0, max: LONGEST_DELAY, unit: 'milliseconds' }
  return {
    // Node cannot send an informational status as the final response.
    status: optional(status, (one) => parseInteger('fault.status', one, { min: 200, max: 599 })),
    body: optional(body, parseBody),
    delayMs: optional(delayMs, (one) => parseNumber('fault.delayMs', one, delay)),
    hang: optional(hang, (one) => parseBoolean('fault.hang', one)),
    reset: optional(reset, (one) => parseBoolean('fault.reset', one)),
    times: optional(times, (one) => parseInteger('fault.times', one, { min: 1 })),
  }
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : parse(value)
}

/** Text, or a value that can be sent as JSON: no function, symbol, bigint or cycle. */
function parseBody(value: unknown): unknown {
  if (typeof value === 'string' || isJson(value)) return value
  throw invalidOption('fault.body', value, 'text, or anything that is JSON')
}

function isJson(value: unknown): boolean {
  try {
    return (JSON.stringify(value) as string | undefined) !== undefined
  } catch {
    return false
  }
}
