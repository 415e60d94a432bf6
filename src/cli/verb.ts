import { parseArgs } from 'node:util'
import { UsageError, type ExitCode, type Io } from './io.ts'
import { helpOf } from './help.ts'
import { COMMON, type Option, type Options, type VerbText } from './verb-text.ts'

type ValueOf<Row extends Option> = Row['type'] extends 'boolean'
  ? boolean
  : Row extends { multiple: true }
    ? readonly string[]
    : Row extends { required: true }
      ? string
      : string | undefined

/** The values of these options, and of those that every verb has. */
export type Values<Table extends Options> = {
  readonly [Name in keyof Table]: ValueOf<Table[Name]>
} & { readonly json: boolean }

/** What the arguments say. */
export interface Given<Table extends Options> {
  readonly values: Values<Table>
  /** The argument without a name. */
  readonly operand: string | undefined
}

/** A verb of the command line. */
export interface Verb {
  readonly text: VerbText
  /** @throws UsageError */
  readonly run: (args: readonly string[], io: Io) => Promise<ExitCode>
}

/** Makes a verb that parses its arguments first. */
export function defineVerb<const Table extends Options>(
  text: VerbText & { readonly options: Table },
  run: (given: Given<Table>, io: Io) => Promise<ExitCode>,
): Verb {
  return {
    text,
    run: async (args, io) => {
      const { values, positionals } = parsed(args, { ...text.options, ...COMMON })
      if (values.help === true) {
        io.stdout.write(helpOf(text))
        return 0
      }
      assertOperands(text, positionals)
      const [operand] = positionals
      return run({ values: complete(text.options, values) as Values<Table>, operand }, io)
    },
  }
}

type Parsed = Readonly<Record<string, unknown>>

function parsed(
  args: readonly string[],
  table: Options,
): { values: Parsed; positionals: readonly string[] } {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  )
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    // parseArgs throws nothing else for a valid table.
    throw new UsageError((error as Error).message)
  }
}

/** The arguments are not quoted: one of them may be a token. */
function assertOperands({ operand }: VerbText, given: readonly string[]): void {
  const most = operand === undefined ? 0 : 1
  if (given.length <= most) return
  const accepted = operand === undefined ? 'options only' : `options, and at most one ${operand}`
  throw new UsageError(
    `${given.length} arguments without an option are given; accepted: ${accepted}`,
  )
}

function complete(table: Options, values: Parsed): Parsed {
  const all: Record<string, unknown> = { json: values.json ?? false }
  for (const [name, { type, multiple, required, value }] of Object.entries(table)) {
    const missing = type === 'boolean' ? false : multiple ? [] : undefined
    all[name] = values[name] ?? missing
    if (required && values[name] === undefined) {
      throw new UsageError(`Option --${name} ${String(value)} is missing`)
    }
  }
  return all
}

/** An option that holds a whole number. */
export function integerOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (/^[0-9]{1,15}$/.test(value)) return Number(value)
  throw new UsageError(`Option --${name} is ${JSON.stringify(value)}; accepted: a whole number`)
}
