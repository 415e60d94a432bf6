import { parseAuditLine } from '../audit-line.ts'
import { compareLists, type Difference } from './compare-lists.ts'
import { printJson, printLines, styleOn, type ExitCode, type Io } from '../io.ts'
import { JsonElements } from './json-elements.ts'
import { listedRoutes } from '../listed-callers.ts'
import { Progress } from './progress.ts'
import {
  homeProjects,
  propose,
  type HomeProjects,
  type Proposal,
  type ProposedCaller,
} from './proposals.ts'
import { quoted } from '../quoted.ts'
import { chunksOf } from '../read-input.ts'
import { inCalls, literal, snippetOf } from './snippet.ts'
import { Traffic } from './traffic.ts'
import { defineVerb } from '../verb.ts'

/** What was read, besides the traffic. */
interface Reading {
  readonly traffic: Traffic
  auditLines: number
  /** Texts that mention `idToken` and are no JSON, or are too long. */
  unreadable: number
}

/** From the audit log to lists of callers. */
export const allow = defineVerb(
  {
    name: 'allow',
    operand: '[FILE|-]',
    summary: 'proposes allowedCallers for each route, from the lines of the audit log',
    about: [
      'Reads log lines with the field idToken (the option auditLog): JSON lines as pino writes them, or what gcloud logging read --format=json prints. Other lines are ignored, and any amount of them is read in constant memory.',
      'An entry that something speaks against is commented out, with the reason: a person, a service agent, an account of another project, a caller without an email. Every Google customer can get a token for your audience, so decide about each of them.',
    ],
    options: {
      against: {
        type: 'string',
        value: 'FILE',
        about:
          'the JSON of listAllowedCallers(): print who is listed and never calls, who calls and is not listed, and which calls would be refused whatever the list',
      },
      project: {
        type: 'string',
        multiple: true,
        value: 'PROJECT',
        about:
          'a project of yours, by id, and by number for its default accounts; default: the one whose accounts call most',
      },
      progress: {
        type: 'boolean',
        about: 'print progress on standard error, also where that is no terminal',
      },
    },
    examples: [
      'node server.js | tee app.log; npx fastify-google-id-token allow app.log',
      [
        "gcloud logging read 'jsonPayload.idToken.outcome:*' --freshness=7d --format=json |",
        '  npx fastify-google-id-token allow - --project shop-prod',
      ].join('\n'),
      'npx fastify-google-id-token allow app.log --against callers.json',
    ],
    exits: [
      'lists are proposed; with --against, every call to a route would be let in, and every listed caller has called',
      'no line of the audit log was found; with --against, there is a difference, a call would be refused, or a part of the log could not be compared',
    ],
  },
  async ({ values, operand }, io) => {
    const listed = values.against === undefined ? null : await listedRoutes(io, values.against)
    const reading = await read(io, operand, values.progress)
    const { traffic } = reading
    const home = homeProjects(values.project, traffic.routes)
    const proposals = propose(traffic.routes, home)
    if (listed !== null) {
      const differences = compareLists(proposals, listed)
      return answer(io, values.json, {
        value: { differences, ...remainder(reading) },
        lines: [...differenceLines(io, differences, reading), ...remarks(reading)],
        negative: differences.length > 0 || !isWhole(reading),
      })
    }
    return answer(io, values.json, {
      value: { routes: proposals, projects: home.projects, ...remainder(reading) },
      lines: [...proposalLines(proposals, home), ...remarks(reading)],
      negative: proposals.length === 0,
    })
  },
)

async function read(io: Io, file: string | undefined, always: boolean): Promise<Reading> {
  const elements = new JsonElements()
  const reading: Reading = { traffic: new Traffic(), auditLines: 0, unreadable: 0 }
  const progress = new Progress(io, always)
  for await (const chunk of chunksOf(io, file)) {
    for (const text of elements.push(chunk)) take(text, reading)
    progress.add(chunk.length, reading.auditLines)
  }
  for (const text of elements.end()) take(text, reading)
  reading.unreadable += elements.tooLong
  progress.end(reading.auditLines)
  return reading
}

function take(text: Buffer, reading: Reading): void {
  const line = parseAuditLine(text)
  if (line === undefined) reading.unreadable += 1
  if (line === undefined || line === null) return
  reading.auditLines += 1
  reading.traffic.add(line)
}

interface Answer {
  readonly value: object
  readonly lines: readonly string[]
  readonly negative: boolean
}

function answer(io: Io, json: boolean, { value, lines, negative }: Answer): ExitCode {
  if (json) printJson(io, value)
  else printLines(io.stdout, lines)
  return negative ? 1 : 0
}

function remainder({ auditLines, unreadable, traffic }: Reading): object {
  const { notKept, withoutRoute, countedTogether } = traffic
  return {
    auditLines,
    unreadable,
    callsBeyondLimit: notKept,
    callsWithoutRoute: withoutRoute,
    callsCountedTogether: countedTogether,
  }
}

function proposalLines(proposals: readonly Proposal[], home: HomeProjects): string[] {
  const [project] = home.projects
  const guess =
    home.given || project === undefined
      ? []
      : [
          `// Accounts of ${quoted(project)} call most, so it is assumed to be your project. Name yours with --project.`,
          '',
        ]
  return [...guess, ...proposals.flatMap((proposal) => [...snippetOf(proposal), ''])]
}

/** Whether the log had something to compare, and nothing of it was left out. */
function isWhole({ auditLines, unreadable, traffic }: Reading): boolean {
  return auditLines > 0 && unreadable + traffic.notKept + traffic.countedTogether === 0
}

function differenceLines(
  io: Io,
  differences: readonly Difference[],
  reading: Reading,
): readonly string[] {
  const style = styleOn(io, io.stdout)
  if (differences.length === 0) {
    return isWhole(reading)
      ? ['Every call of this log to a route would be let in, and every listed caller has called.']
      : ['What could be compared agrees. This is not the whole log:']
  }
  return differences.flatMap((difference) => {
    const { method, route, listedAndNeverCalls } = difference
    return [
      style('bold', quoted(`${method} ${route}`)),
      ...difference.callsAndIsNotListed.map((caller) => {
        const { calls, against, doubts } = caller
        return `  ${style('red', 'calls, not listed')}    ${nameOf(caller)} ${inBrackets([inCalls(calls), ...against, ...doubts])}`
      }),
      ...difference.refusedInAnyCase.map(({ caller, calls, outcome }) => {
        const name = caller === null ? 'an unknown caller' : nameOf(caller)
        return `  ${style('red', 'refused in any case')}  ${name} ${inBrackets([inCalls(calls), outcome])}`
      }),
      ...listedAndNeverCalls.map(
        (entry) => `  ${style('yellow', 'listed, never calls')}  ${literal(entry)}`,
      ),
    ]
  })
}

function nameOf({ entry, email, subject }: ProposedCaller): string {
  return entry === null ? quoted(email ?? subject) : literal(entry)
}

/** The texts of a log, and what is said about them. */
function inBrackets(texts: readonly string[]): string {
  return `(${texts.map((one) => quoted(one).slice(1, -1)).join('; ')})`
}

/** What the answer does not contain. */
function remarks({ auditLines, unreadable, traffic }: Reading): string[] {
  const { notKept, withoutRoute, countedTogether } = traffic
  return [
    ...(auditLines === 0
      ? ['// No line of the audit log was found: is the option auditLog on? It logs at level info.']
      : []),
    ...(notKept > 0
      ? [
          `// ${inCalls(notKept)} are missing here: there were more callers and routes than are kept.`,
        ]
      : []),
    ...(withoutRoute > 0
      ? [
          `// ${inCalls(withoutRoute)} to no route. Once the guard is enforced, they need a good token too.`,
        ]
      : []),
    ...(countedTogether > 0
      ? [
          `// ${inCalls(countedTogether)} are missing here: the audit log has counted them together, because there were too many combinations.`,
        ]
      : []),
    ...(unreadable > 0
      ? [`// Lines that could not be read, because they are cut off or too long: ${unreadable}`]
      : []),
  ]
}
