/** What Stryker has found: figures by folder, and the survivors. */
import { dirname } from 'node:path'
import { table } from 'table'

/** What is read of a report (https://github.com/stryker-mutator/mutation-testing-elements). */
export interface Report {
  readonly files: Readonly<Record<string, MutatedFile>>
}

interface MutatedFile {
  readonly source: string
  readonly mutants: readonly Mutant[]
}

interface Mutant {
  readonly mutatorName: string
  readonly replacement: string
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError' | 'Ignored'
  readonly statusReason?: string
  readonly location: { readonly start: Position; readonly end: Position }
}

/** Both count from 1. */
interface Position {
  readonly line: number
  readonly column: number
}

/** What the figures are printed of. */
const HEAD = ['folder', 'score', 'mutants', 'killed', 'by time-out', 'survived', 'not run']

/** The figures of all folders, as a table. */
export function figures(files: readonly [name: string, file: MutatedFile][]): string {
  const folders = [...new Set(files.map(([name]) => dirname(name)))]
  const rows = folders.map((folder) => [
    folder,
    ...figuresOf(mutantsOf(files.filter(([name]) => dirname(name) === folder))),
  ])
  return table([HEAD, ...rows, ['all', ...figuresOf(mutantsOf(files))]])
}

/** The part of the mutants that the tests have noticed, in percent. */
export function scoreOf(mutants: readonly Mutant[]): number {
  const missed = mutants.filter(isMissed).length
  return (100 * (mutants.length - missed)) / mutants.length
}

/**
 * The mutants that count. Like Stryker, this leaves out those with which no test file could be
 * loaded (`RuntimeError`), and those that are not tried.
 */
export function mutantsOf(files: readonly [name: string, file: MutatedFile][]): Mutant[] {
  return files.flatMap(([, { mutants }]) =>
    mutants.filter(({ status }) => status !== 'RuntimeError' && status !== 'Ignored'),
  )
}

/** Each mutant that no test has noticed, as the page lists it. */
export function survivorsOf(files: readonly [name: string, file: MutatedFile][]): string[] {
  return files.flatMap(([name, { source, mutants }]) =>
    mutants
      .filter(isMissed)
      .map(
        ({ location, replacement }) =>
          `${name}: ${oneLine(textAt(source, location))} → ${oneLine(replacement)}`,
      ),
  )
}

function figuresOf(mutants: readonly Mutant[]): string[] {
  const count = (test: (mutant: Mutant) => boolean): string => String(mutants.filter(test).length)
  return [
    `${scoreOf(mutants).toFixed(1)} %`,
    String(mutants.length),
    count((mutant) => !isMissed(mutant) && !isLate(mutant)),
    count(isLate),
    count(({ status }) => status === 'Survived'),
    count(({ status }) => status === 'NoCoverage'),
  ]
}

function isMissed({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage'
}

/** By Stryker, or by tap, where a test has waited in vain. */
function isLate({ status, statusReason }: Mutant): boolean {
  return status === 'Timeout' || (status === 'Killed' && /\btimeout!$/.test(statusReason ?? ''))
}

function textAt(source: string, { start, end }: Mutant['location']): string {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  // The end first: it may be in the line of the start.
  lines.push((lines.pop() ?? '').slice(0, end.column - 1))
  return [(lines.shift() ?? '').slice(start.column - 1), ...lines].join('\n')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
