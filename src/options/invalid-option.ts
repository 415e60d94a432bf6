import { inspect } from 'node:util'

/**
 * The error for a wrong option: one sentence with its name, the value, and what is accepted.
 *
 * @param name - the option as its author spells it, e.g. `clockTolerance`
 * @param value - what was given; leave it out where it may hold a secret
 * @param accepted - what would have been right
 */
export function invalidOption(name: string, value: unknown, accepted: string): TypeError {
  return withCode(`Option ${name} is ${described(value)}; accepted: ${accepted}`)
}

/** The same for a value that must not be printed. */
export function invalidSecretOption(name: string, problem: string, accepted: string): TypeError {
  return withCode(`Option ${name} ${problem}; accepted: ${accepted}`)
}

function withCode(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ID_TOKEN_OPTION_INVALID' as const })
}

function described(value: unknown): string {
  if (value === undefined) return 'missing'
  return inspect(value, {
    depth: 1,
    maxArrayLength: 10,
    maxStringLength: 200,
    breakLength: Infinity,
  })
}

/** A plain options object, with no name in it that nobody reads. */
export function acceptNames(
  where: string,
  value: unknown,
  names: readonly string[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption(where, value, 'an object')
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      throw invalidOption(
        where === 'options' ? name : `${where}.${name}`,
        (value as Record<string, unknown>)[name],
        `no such option; the options are ${names.join(', ')}`,
      )
    }
  }
  return value as Record<string, unknown>
}

/** A number within bounds. */
export function acceptNumber(
  name: string,
  value: unknown,
  { min, max, unit }: { min: number; max: number; unit: string },
): number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw invalidOption(name, value, `a number of ${unit} from ${min} to ${max}`)
  }
  return value
}

/** One string or a non-empty list of strings, none of them empty. */
export function acceptStrings(name: string, value: unknown, accepted: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw invalidOption(name, value, accepted)
  for (const entry of list) {
    if (typeof entry !== 'string' || entry === '' || entry.trim() !== entry) {
      throw invalidOption(name, value, accepted)
    }
  }
  return Object.freeze([...list]) as readonly string[]
}
