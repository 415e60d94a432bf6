import { COMMON, type Option, type VerbText } from './verb-text.ts'

/** The name of the package and of its command: npx runs no stranger's package then. */
export const COMMAND = 'fastify-google-id-token'

const WIDTH = 96

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
    ...examples.map((example) => `  ${example}`),
    '',
    'Exit codes:',
    ...exitLines(exits),
    '',
  ].join('\n')
}

/** The help of the command itself. */
export function overview(verbs: readonly VerbText[]): string {
  const longest = Math.max(...verbs.map(({ name }) => name.length))
  return [
    `Usage: ${COMMAND} VERB [options]`,
    '',
    'Verbs:',
    ...verbs.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`),
    '',
    'Options of every verb:',
    ...optionLines(COMMON),
    '',
    'Example:',
    `  npx ${COMMAND} allow --help`,
    '',
    'Exit codes:',
    ...exitLines(['good', 'a negative answer, or no answer could be had']),
    '',
  ].join('\n')
}

function exitLines([good, negative]: VerbText['exits']): string[] {
  return [`  0  ${good}`, `  1  ${negative}`, '  2  wrong usage']
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  const rows = Object.entries(options).map(([name, { value, about, multiple, required }]) => ({
    left: `--${name}${value === undefined ? '' : ` ${value}`}`,
    right: `${about}${required ? ' (required)' : ''}${multiple ? ' (can be repeated)' : ''}`,
  }))
  const longest = Math.max(...rows.map(({ left }) => left.length))
  return rows.flatMap(({ left, right }) => {
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
