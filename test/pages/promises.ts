import { existsSync, readFileSync } from 'node:fs'
import { rows } from '../../fixtures/rows.ts'
import { textOf } from './blocks.ts'

const root = new URL('../../', import.meta.url)

/** Tests as the pages name them: a file, a colon, and names in quotes with commas between them. */
const TESTS = /`(test\/[\w/.-]+\.ts)`:\s((?:"[^"]+"(?:,\s)?)+)/g

/** What a page names that is not there: files, tests, rows of the fixture table. */
export function goneFrom(page: string): string[] {
  const text = textOf(page).replaceAll(/\\\|/g, '|')
  return [
    ...missingFiles(text),
    ...testsWithoutName(text),
    ...missingTests(text),
    ...missingRows(text),
  ]
}

/** How many tests and rows a page names: a page that names none proves nothing. */
export function namedIn(page: string): number {
  const text = textOf(page)
  return testsIn(text).length + rowsIn(text).length
}

function spans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
}

function missingFiles(text: string): string[] {
  return spans(text)
    .filter((span) => /^(?:src|test|bench|fixtures|scripts)\/[\w/.-]+$/.test(span))
    .filter((span) => !existsSync(new URL(span, root)))
}

interface NamedTest {
  readonly file: string
  readonly name: string
}

function testsIn(text: string): NamedTest[] {
  return [...text.matchAll(TESTS)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
  )
}

/** A file of tests proves nothing without the name of one. */
function testsWithoutName(text: string): string[] {
  const rest = text.replaceAll(TESTS, '')
  return spans(rest)
    .filter((span) => span.endsWith('.test.ts'))
    .map((file) => `${file} without the name of a test`)
}

function missingTests(text: string): string[] {
  return testsIn(text)
    .filter(({ file, name }) => !isDeclared(file, name))
    .map(({ file, name }) => `${file}: ${name}`)
}

/** Whether the file declares a test of this name; what a template fills in must be in its sources. */
function isDeclared(file: string, name: string): boolean {
  const url = new URL(file, root)
  if (!existsSync(url)) return false
  const source = readFileSync(url, 'utf8')
  return [...source.matchAll(/\bt\.test\(\s*(['`])(.+?)\1,\s/gs)].some(([, , declared = '']) => {
    const parts = declared.split(/\$\{.+?\}/).map(escaped)
    const filledIn = new RegExp(`^${parts.join('(.+)')}$`, 's').exec(name)?.slice(1)
    if (filledIn === undefined) return false
    const sources = source + importedBy(source, url)
    return filledIn.every((value) => sources.includes(value))
  })
}

function importedBy(source: string, url: URL): string {
  return [...source.matchAll(/from '(\.[^']+)'/g)]
    .map(([, specifier = '']) => readFileSync(new URL(specifier, url), 'utf8'))
    .join('\n')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Rows as the pages name them: `group/name`, or `group/*` for all of them. */
function rowsIn(text: string): string[] {
  return spans(text).filter((span) => /^[a-z-]+\/(?:[\w-]+|[\w-]*\*)$/.test(span) && !isFile(span))
}

function isFile(span: string): boolean {
  return existsSync(new URL(span, root))
}

function missingRows(text: string): string[] {
  return rowsIn(text).filter((named) => {
    const prefix = named.endsWith('*') ? named.slice(0, -1) : undefined
    return !rows.some(({ name }) =>
      prefix === undefined ? name === named : name.startsWith(prefix),
    )
  })
}
