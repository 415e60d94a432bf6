import { COMMAND } from './command-name.ts'
import { COMMON, type Option, type VerbText } from './verb-text.ts'

/** The guide shows the help too, in a column of this width. */
const WIDTH = 88

/** The help of a verb. */
export function helpOf(verb: VerbText): string {
  const { name, operand, summary, about, options, examples, exits } = verb
  const usage = [COMMAND, name, operand, '[options]'].filter((part) => part !== undefined)
  return [
    `Usage: ${usage.join(' ')}`,
    '',
    ...wrapped(summary, ''),
    ...about.flatMap((paragraph) => ['', ...wrapped(paragraph, '')]),
    '',
    'Options:',
    ...optionLines({ ...options, ...COMMON }),
    '',
    'Examples:',
    ...examples.flatMap((example) => example.split('\n').map((line) => `  ${line}`)),
    '',
    'Exit codes:',
    ...exitLines(exits),
    '',
  ].join('\n')
}

/** The help of the command itself. */
export function overview(verbs: readonly VerbText[]): string {
  return [
    `Usage: ${COMMAND} VERB [options]`,
    `       ${COMMAND} --version`,
    '',
    'Verbs:',
    ...columns(verbs.map(({ name, summary }) => [name, summary])),
    '',
    'Options of every verb:',
    ...optionLines(COMMON),
    '',
    'Example:',
    `  npx ${COMMAND} allow --help`,
    '',
    'Exit codes:',
    ...exitLines(['good', 'the answer is no, or there is no answer']),
    '',
  ].join('\n')
}

function exitLines([good, negative]: VerbText['exits']): string[] {
  return columns([
    ['0', good],
    ['1', negative],
    ['2', 'wrong usage'],
  ])
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  return columns(
    Object.entries(options).map(([name, { value, about, multiple, required }]) => [
      `--${name}${value === undefined ? '' : ` ${value}`}`,
      `${about}${required ? ' (required)' : ''}${multiple ? ' (can be repeated)' : ''}`,
    ]),
  )
}

/** Names, and beside them what each means. */
function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const longest = Math.max(...rows.map(([left]) => left.length))
  return rows.flatMap(([left, right]) => {
    const [first, ...others] = wrapped(right, ' '.repeat(longest + 4))
    return [`  ${left.padEnd(longest)}  ${String(first).trimStart()}`, ...others]
  })
}

/** Lines of at most WIDTH characters, where the words allow it. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length >= WIDTH) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}
