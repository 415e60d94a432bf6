import { readFileSync } from 'node:fs'

/** A fenced block of README.md. */
export interface Block {
  readonly language: string
  readonly code: string
  /** The file that the comment above the block says it is, or is part of. */
  readonly file: string | undefined
  /** The line of that file before which the block belongs; the whole file where there is none. */
  readonly before: string | undefined
}

export const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const FENCED =
  /(?:^<!-- (?<file>[\w.]+\.ts)(?:, before (?<before>[^>]+?))? -->\n\n)?^```(?<language>\w*)\n(?<code>.*?)^```$/gms

/** All fenced blocks, in order. */
export const blocks: readonly Block[] = [...readme.matchAll(FENCED)].map(({ groups = {} }) => ({
  language: groups.language ?? '',
  code: groups.code ?? '',
  file: groups.file,
  before: groups.before,
}))

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

/** The program that a file of the README starts with, without what other blocks put into it. */
export function firstProgram(file: string): string {
  const block = blocks.find((one) => one.file === file && one.before === undefined)
  if (block === undefined) throw new Error(`no block of the README is ${file}`)
  return block.code
}

/** The whole file: each further block stands before the line that its comment names. */
export function wholeProgram(file: string): string {
  let program = firstProgram(file)
  for (const { code, before } of blocks.filter((one) => one.file === file)) {
    if (before === undefined) continue
    const line = program.split('\n').find((one) => one.includes(before))
    if (line === undefined) throw new Error(`${file} has no line with ${before}`)
    program = program.replace(line, () => `${code}\n${line}`)
  }
  return program
}
