import { readFileSync } from 'node:fs'

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  readonly code: string
  /** The file that the comment above the block says it is, or is part of. */
  readonly file: string | undefined
  /** The line of that file before which the block belongs; the whole file where there is none. */
  readonly before: string | undefined
}

/**
 * The README and the pages that go on where it ends, in the order in which it names them. Their blocks
 * are parts of the same programs, and the tables of the code stand on any of them.
 */
export const GUIDE = [
  'README.md',
  'docs/README.md',
  'docs/routes-and-callers.md',
  'docs/other-plugins.md',
  'docs/cloud-run.md',
  'docs/options.md',
  'docs/express.md',
  'docs/without-a-framework.md',
  'docs/testing.md',
  'docs/logs-and-metrics.md',
  'docs/rollout.md',
  'docs/requirements.md',
] as const

/** The pages whose programs use packages that the project itself does not need. */
export const RECIPES = [
  'docs/agents.md',
  'docs/bundling.md',
  'docs/moving-over.md',
  'docs/other-frameworks.md',
] as const

/** The text of a file of the project. */
export function textOf(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
}

const FENCED =
  /(?:^<!-- (?<file>[\w.-]+\.(?:[cm]?[jt]s|json))(?:, before (?<before>[^>]+?))? -->\n\n)?^```(?<language>\w*)\n(?<code>.*?)^```$/gms

/** The fenced blocks of a page, in order. */
export function blocksIn(page: string): Block[] {
  return [...page.matchAll(FENCED)].map(({ groups = {} }) => ({
    language: groups.language ?? '',
    code: groups.code ?? '',
    file: groups.file,
    before: groups.before,
  }))
}

/** Where a page shows a file of the repository. */
export const SHOWN_FILE = /<!-- file: (\S+) -->.*?<!-- end of file: \1 -->/gs

/** A page without the files that it shows: these have tests of their own. */
export function withoutShownFiles(page: string): string {
  return page.replaceAll(SHOWN_FILE, '')
}

/** The text of the whole guide. */
export const guide: string = GUIDE.map(textOf).join('\n')

/** The blocks of the whole guide. */
export const blocks: readonly Block[] = GUIDE.flatMap((name) => blocksIn(textOf(name)))

/** The blocks of one language. */
export function blocksOf(language: string): Block[] {
  return blocks.filter((block) => block.language === language)
}

/** The one block of a language. */
export function onlyBlockOf(language: string): string {
  const [block, ...others] = blocksOf(language)
  if (block === undefined || others.length > 0) throw new Error(`not one ${language} block`)
  return block.code
}

/** The program that a file of a page starts with, without what other blocks put into it. */
export function firstProgram(file: string, from = blocks): string {
  const [block, ...others] = from.filter((one) => one.file === file && one.before === undefined)
  if (block === undefined || others.length > 0) throw new Error(`not one block is ${file}`)
  return block.code
}

/** The whole file: each further block stands before the line that its comment names. */
export function wholeProgram(file: string, from = blocks): string {
  let program = firstProgram(file, from)
  for (const { code, before } of from.filter((one) => one.file === file)) {
    if (before === undefined) continue
    const line = program.split('\n').find((one) => one.includes(before))
    if (line === undefined) throw new Error(`${file} has no line with ${before}`)
    program = program.replace(line, () => `${code}\n${line}`)
  }
  return program
}
