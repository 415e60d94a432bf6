import { inspect } from 'node:util'
import { unreadableMembers } from './plain-object.ts'

/**
 * The error for a wrong option: one sentence with its name, the value, and what is accepted.
 *
 * @param name - the option as its author spells it, e.g. `clockTolerance`
 * @param value - what was given; leave it out if it may hold a secret
 * @param accepted - what would have been right
 */
export function invalidOption(name: string, value: unknown, accepted: string): TypeError {
  return invalidConfiguration(`Option ${name} is ${described(value)}; accepted: ${accepted}`)
}

/** The same for a value that must not be printed. */
export function invalidSecretOption(name: string, problem: string, accepted: string): TypeError {
  return invalidConfiguration(`Option ${name} ${problem}; accepted: ${accepted}`)
}

/** The error for options that are wrong together, or in the wrong place. */
export function invalidConfiguration(message: string): TypeError {
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

/** A plain options object without unknown names. */
export function parseNames(
  where: string,
  value: unknown,
  names: readonly string[],
  accepted = `an object with ${names.join(', ')}`,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption(where, value, accepted)
  }
  const problem = unreadableMembers(value)
  if (problem !== null) {
    // The value is not printed: if a request is passed by mistake, its token would be shown.
    throw invalidSecretOption(where, problem, 'a plain object: no class, no getters, no symbols')
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      throw invalidOption(
        where === 'options' ? name : `${where}.${name}`,
        (value as Record<string, unknown>)[name],
        `only the names ${names.join(', ')}${suggestion(name, names)}`,
      )
    }
  }
  // Without a prototype: an inherited member is not an option.
  return Object.assign(Object.create(null) as Record<string, unknown>, value)
}

/**
 * The nearest name: first the same name in another case, then one edit away, then two edits away if
 * the name is long enough.
 */
export function suggestion(given: string, names: readonly string[]): string {
  for (const edits of [0, 1, 2]) {
    const near = names.find(
      (name) =>
        name.length >= 3 * edits && isWithin(edits, given.toLowerCase(), name.toLowerCase()),
    )
    if (near !== undefined) return `. Did you mean ${near}?`
  }
  return ''
}

/**
 * Whether one string becomes the other with at most this many insertions, deletions and
 * replacements.
 */
function isWithin(edits: number, a: string, b: string): boolean {
  if (a === b) return true
  if (a !== '' && b.startsWith(a.charAt(0))) return isWithin(edits, a.slice(1), b.slice(1))
  return (
    edits > 0 &&
    (isWithin(edits - 1, a.slice(1), b) ||
      isWithin(edits - 1, a, b.slice(1)) ||
      isWithin(edits - 1, a.slice(1), b.slice(1)))
  )
}

/** A number within bounds. */
export function parseNumber(
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
export function parseStrings(name: string, value: unknown, accepted: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw invalidOption(name, value, accepted)
  for (const entry of list) {
    if (typeof entry !== 'string' || entry === '' || entry.trim() !== entry) {
      throw invalidOption(name, value, accepted)
    }
  }
  return Object.freeze([...list]) as readonly string[]
}
