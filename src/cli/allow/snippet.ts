import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import type { Proposal, ProposedCaller } from './proposals.ts'
import { quoted } from '../quoted.ts'

/**
 * The list of a route, to paste into its options. Every text of the log is a quoted string. An empty
 * list would stop the start, so where nobody is proposed the snippet says what to do.
 */
export function snippetOf({ method, route, callers, unknownCallers }: Proposal): string[] {
  return [
    `// ${quoted(`${method} ${route}`)}`,
    ...(callers.length === 0 ? NOBODY_KNOWN : listOf(callers)),
    ...Object.entries(unknownCallers).map(
      ([outcome, calls]) => `// ${inCalls(calls)} of unknown callers: ${quoted(outcome)}`,
    ),
  ]
}

const NOBODY_KNOWN = [
  '// config: { idToken: false }, // if anyone may call it; otherwise it needs a list',
]

const NOBODY_PROPOSED =
  '// nobody is proposed, and an empty list stops the start: decide about these'

function listOf(callers: readonly ProposedCaller[]): string[] {
  return [
    'config: {',
    '  idToken: {',
    '    allowedCallers: [',
    ...(callers.some(({ proposed }) => proposed) ? [] : [`      ${NOBODY_PROPOSED}`]),
    ...callers.map((caller) => `      ${callerLine(caller)}`),
    '    ],',
    '  },',
    '},',
  ]
}

function callerLine(caller: ProposedCaller): string {
  const { entry, email, subject, calls, proposed, against, doubts } = caller
  const shown = entry === null ? quoted(email ?? subject) : literal(entry)
  const remarks = [inCalls(calls), ...against, ...doubts].map(onOneLine).join('; ')
  return proposed ? `${shown}, // ${remarks}` : `// ${shown}, // ${remarks}`
}

/** An entry as code. */
export function literal(entry: AllowedCaller): string {
  return typeof entry === 'string' ? quoted(entry) : `{ email: ${quoted(entry.email)} }`
}

/** The same escapes without the quotes: a remark is in a comment already. */
function onOneLine(remark: string): string {
  return quoted(remark).slice(1, -1)
}

/** A number of calls in words. */
export function inCalls(calls: number): string {
  return `${calls.toLocaleString('en-US')} ${calls === 1 ? 'call' : 'calls'}`
}
