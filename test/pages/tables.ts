/**
 * Fills the tables of the documentation from the code: outcomes and failures from their tables, the
 * others from the doc comments of the interfaces that they describe. Run it with `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'
import { helpOf } from '../../src/cli/help.ts'
import { VERBS } from '../../src/cli/verbs.ts'
import { FAILURES } from '../../src/client/failures.ts'
import { OUTCOMES, type ChallengeError } from '../../src/errors/outcomes.ts'
import { MISTAKES } from '../../src/errors/recognised-mistakes.ts'
import { GUIDE, SHOWN_FILE, textOf } from './blocks.ts'

const EMULATOR = 'src/testing/emulator'
const PUSH = 'src/testing/push'

type Tables = Record<string, () => string>

/** The tables of the guide. Each stands on one of its pages, whichever that is. */
const GUIDE_TABLES: Tables = {
  outcomes: outcomeTable,
  options: () => optionTable('src/verifier/verifier-options.ts', 'VerifierOptions'),
  'guard options': () => optionTable('src/adapters/guard-options.ts', 'GuardOptions'),
  'guard policy': () => optionTable('src/policy/access-policy.ts', 'GuardPolicy'),
  'plugin options': () => optionTable('src/adapters/fastify/plugin.ts', 'GoogleIdTokenOptions'),
  'route options': () => optionTable('src/policy/access-policy.ts', 'RoutePolicy'),
  caller: () => fieldTable('src/policy/caller.ts', 'Caller'),
}

export const GUIDE_TABLE_NAMES: readonly string[] = Object.keys(GUIDE_TABLES)

const HELP: Tables = {}
for (const [name, load] of VERBS) {
  const help = helpOf((await load()).text)
  HELP[`help of ${name}`] = () => `\`\`\`text\n${help}\`\`\``
}

/** The tables of each other page. */
const PAGES: Record<string, Tables> = {
  'docs/cloud-run-frontend.md': {
    options: () =>
      optionTable('src/testing/cloud-run/frontend-options.ts', 'CloudRunFrontendOptions'),
  },
  'docs/two-identities.md': {},
  'docs/iap.md': {
    'iap options': () => optionTable('src/verifier/iap-options.ts', 'IapOptions'),
    'front end options': () =>
      optionTable('src/testing/cloud-run/iap-frontend-options.ts', 'IapFrontendOptions'),
  },
  'docs/client.md': {
    options: () => optionTable('src/client/service-client-options.ts', 'ServiceClientOptions'),
    failures: failureTable,
  },
  'docs/emulator.md': {
    options: () => optionTable(`${EMULATOR}/emulator-options.ts`, 'GoogleEmulatorOptions'),
    'push options': () => optionTable(`${PUSH}/push-options.ts`, 'PushOptions'),
    'pubsub options': () => optionTable(`${PUSH}/pubsub.ts`, 'PubsubPush'),
    'http target options': () => optionTable(`${PUSH}/http-target.ts`, 'HttpTargetPush'),
    'cloud tasks options': () => optionTable(`${PUSH}/cloud-tasks.ts`, 'CloudTasksPush'),
    'cloud scheduler options': () =>
      optionTable(`${PUSH}/cloud-scheduler.ts`, 'CloudSchedulerPush'),
    'eventarc options': () => optionTable(`${PUSH}/eventarc.ts`, 'EventarcPush'),
    faults: () => optionTable(`${EMULATOR}/fault.ts`, 'Fault'),
    requests: () => fieldTable(`${EMULATOR}/logged-request.ts`, 'LoggedRequest'),
  },
  'docs/command-line.md': HELP,
  'docs/troubleshooting.md': { remedies: remedyTable, 'recognised mistakes': mistakeTable },
}

/** The pages that have tables beside the guide: each is the reference of one entry. */
export const REFERENCE: readonly string[] = Object.keys(PAGES)

/** The pages that are filled: those with tables, and those that show files. */
export const FILLED: readonly string[] = [
  ...GUIDE,
  ...REFERENCE,
  'docs/deploying.md',
  'docs/other-frameworks.md',
]

/** A page as the code has it. */
export async function pageWithTables(name: string, page: string): Promise<string> {
  let filled = page.replaceAll(SHOWN_FILE, (_, file: string) => shown(file))
  for (const [table, make] of Object.entries(tablesOf(name, page)))
    filled = fill(filled, table, make())
  return format(filled, { ...(await resolveConfig(path(name))), parser: 'markdown' })
}

function tablesOf(name: string, page: string): Tables {
  if (PAGES[name] !== undefined) return PAGES[name]
  return Object.fromEntries(
    Object.entries(GUIDE_TABLES).filter(([table]) => page.includes(`<!-- ${table} -->`)),
  )
}

function path(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

const LANGUAGES: Readonly<Record<string, string>> = { tf: 'hcl', Dockerfile: 'dockerfile' }

/** A file of the repository, for readers who have the package alone. */
function shown(file: string): string {
  const [ending = ''] = /[^./]+$/.exec(file) ?? []
  const name = file.replace(/^examples\/(?:cloud-run\/)?/, '')
  const block = `\`\`\`${LANGUAGES[ending] ?? ending}\n${textOf(file).trimEnd()}\n\`\`\``
  return `<!-- file: ${file} -->\n\n\`${name}\`:\n\n${block}\n\n<!-- end of file: ${file} -->`
}

function fill(page: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [before, old, ...others] = page.split(start)
  const after = old?.split(end)[1]
  if (before === undefined || after === undefined || others.length > 0) {
    throw new Error(`the page must have ${start} and ${end} once`)
  }
  return `${before}${start}\n\n${table}\n\n${end}${after}`
}

function outcomeTable(): string {
  return tableOf(
    ['code', 'status', 'challenge', 'when'],
    Object.entries(OUTCOMES).map(([code, { status, challenge, when }]) => [
      `\`${code}\``,
      String(status),
      challengeCell(challenge),
      when,
    ]),
  )
}

/** By status, because a caller sees that first. */
function remedyTable(): string {
  return tableOf(
    ['status', 'code', 'what to change'],
    Object.entries(OUTCOMES)
      .toSorted(([, one], [, other]) => one.status - other.status)
      .map(([code, { status, remedy }]) => [String(status), `\`${code}\``, prose(remedy)]),
  )
}

function mistakeTable(): string {
  return tableOf(
    ['code', 'remedy'],
    MISTAKES.map(({ codes, remedy }) => [
      codes.map((code) => `\`${code}\``).join(', '),
      prose(remedy),
    ]),
  )
}

/** A text of the log in Markdown: an angle bracket is not the start of an element. */
function prose(text: string): string {
  return text.replaceAll('<', '\\<')
}

function failureTable(): string {
  return tableOf(
    ['code', 'when', 'remedy'],
    Object.entries(FAILURES).map(([code, { when, remedy }]) => [`\`${code}\``, when, remedy]),
  )
}

function challengeCell(challenge: ChallengeError): string {
  if (challenge === undefined) return 'none; `Retry-After`'
  return challenge === null ? '`Bearer` without an error' : `\`${challenge}\``
}

/** The sentence of a comment that begins with "Default" has a column of its own. */
function optionTable(file: string, name: string): string {
  return tableOf(
    ['option', 'default', 'meaning'],
    documentedMembers(file, name).map(({ member, required, comment }) => {
      const sentences = comment.split(/(?<=\.)\s+(?=[A-Z])/)
      const standard = sentences.find((sentence) => sentence.startsWith('Default'))
      return [
        `\`${member}\``,
        standard?.replace(/^Default:? /, '').replace(/\.$/, '') ?? (required ? 'required' : '–'),
        sentences.filter((sentence) => sentence !== standard).join(' '),
      ]
    }),
  )
}

function fieldTable(file: string, name: string): string {
  return tableOf(
    ['field', 'type', 'meaning'],
    documentedMembers(file, name).map(({ member, type, comment }) => [
      `\`${member}\``,
      `\`${type}\``,
      comment,
    ]),
  )
}

interface DocumentedMember {
  readonly member: string
  readonly type: string
  readonly required: boolean
  readonly comment: string
}

function documentedMembers(file: string, name: string): DocumentedMember[] {
  const text = readFileSync(path(file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const declaration = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  ) as ts.InterfaceDeclaration | undefined
  if (declaration === undefined) throw new Error(`${file} declares no interface ${name}`)
  return declaration.members.filter(ts.isPropertySignature).map((member) => ({
    member: member.name.getText(source),
    type: member.type?.getText(source) ?? 'unknown',
    required: member.questionToken === undefined,
    comment: ts
      .getJSDocCommentsAndTags(member)
      .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
      .join(' ')
      .replaceAll(/\s+/g, ' '),
  }))
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of FILLED) {
    writeFileSync(path(name), await pageWithTables(name, textOf(name)))
  }
}
