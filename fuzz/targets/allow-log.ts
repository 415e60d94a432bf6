/**
 * What the verb `allow` makes of a log.
 *
 * Input: a line whose bytes say how the log is cut into chunks, and the log.
 */
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { Script } from 'node:vm'
import { allow } from '../../src/cli/allow/allow.ts'
import { parseAuditLine } from '../../src/cli/audit-line.ts'
import { JsonElements } from '../../src/cli/allow/json-elements.ts'
import { parseAllowedCallers } from '../../src/policy/allowed-callers.ts'

export async function fuzz(data: Buffer): Promise<void> {
  const end = data.indexOf('\n')
  if (end === -1) return
  const log = data.subarray(end + 1)
  const chunks = chunksOf(log, [...data.subarray(0, end)])
  for (const longest of [undefined, 48]) {
    assert.equal(shown(read(chunks, longest)), shown(read([log], longest)))
  }
  const { texts } = read([log])
  assertTexts(log, texts)
  const lines = texts.map(parseAuditLine).filter((line) => line !== null && line !== undefined)
  await assertAnswer(chunks, lines)
}

/** Pieces of these lengths in turn. */
function chunksOf(log: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let from = 0; from < log.length;) {
    const length = (lengths[chunks.length % lengths.length] ?? log.length) + 1
    chunks.push(log.subarray(from, from + length))
    from += length
  }
  return chunks
}

interface Read {
  readonly texts: readonly Buffer[]
  readonly tooLong: number
}

function read(chunks: readonly Buffer[], longest?: number): Read {
  const elements = new JsonElements(longest)
  const texts = chunks.flatMap((chunk) => elements.push(chunk))
  texts.push(...elements.end())
  return { texts, tooLong: elements.tooLong }
}

function shown({ texts, tooLong }: Read): string {
  return [tooLong, ...texts.map((text) => text.toString('latin1'))].join('\0')
}

/** Nothing gets lost: neither a line, nor an element of an array of objects. */
function assertTexts(log: Buffer, texts: readonly Buffer[]): void {
  const found = texts.map(String)
  const text = log.toString()
  // The bytes of a byte order mark are skipped one by one, also where they begin another character.
  if (!isUtf8(log) || /^\s*[\uF000-\uFFFF]/.test(text)) return
  if (!text.trimStart().startsWith('[')) {
    assert.deepEqual(
      found,
      text
        .trimStart()
        .split('\n')
        .filter((line) => /[^ \t\r\n]/.test(line)),
    )
    return
  }
  const elements = jsonOf(text)
  if (!Array.isArray(elements) || typeof elements[0] !== 'object' || elements[0] === null) return
  if (Array.isArray(elements[0])) return
  assert.deepEqual(found.map(jsonOf), elements)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Answer {
  readonly routes: readonly {
    readonly calls: number
    readonly allowedCallers: readonly unknown[]
    readonly callers: readonly { readonly email: string | null; readonly subject: string }[]
  }[]
  readonly auditLines: number
  readonly callsBeyondLimit: number
  readonly callsWithoutRoute: number
}

type Line = Exclude<ReturnType<typeof parseAuditLine>, null | undefined>

async function assertAnswer(chunks: readonly Buffer[], lines: readonly Line[]): Promise<void> {
  const snippet = await outputOf(chunks, [])
  const json = await outputOf(chunks, ['--json'])
  for (const { code, text } of [snippet, json]) {
    // A control or format character would reach the terminal, or hide code that is pasted.
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u)
    assert.ok(code === 0 || code === 1)
  }
  assertSnippet(snippet.text)
  const answer = JSON.parse(json.text) as Answer
  assert.equal(answer.auditLines, lines.length)
  assert.equal(json.code, answer.routes.length === 0 ? 1 : 0)
  const counted = lines.reduce((sum, { count }) => sum + count, 0)
  const calls = answer.routes.reduce((sum, route) => sum + route.calls, 0)
  const all = calls + answer.callsBeyondLimit + answer.callsWithoutRoute
  if (counted < Number.MAX_SAFE_INTEGER) assert.equal(all, counted)
  for (const { allowedCallers } of answer.routes) assertProposed(allowedCallers, lines)
}

async function outputOf(
  chunks: readonly Buffer[],
  args: readonly string[],
): Promise<{ code: number; text: string }> {
  let text = ''
  const code = await allow.run([...args], {
    stdin: (async function* () {
      await Promise.resolve()
      yield* chunks
    })(),
    stdout: { write: (more) => (text += more) },
    stderr: { write: () => assert.fail('something on standard error') },
    env: {},
    now: () => 0,
    interrupted: () => new Promise(() => undefined),
  })
  return { code, text }
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`
/** All that a line of a snippet may be: a comment, an entry with a remark, or the object around them. */
const LINES = [
  /^ *\/\/ .*$/,
  new RegExp(String.raw`^ {6}(?:${STRING}|\{ email: ${STRING} \}), // .*$`),
  /^(?:|config: \{| {2}idToken: \{| {4}allowedCallers: \[| {4}\],| {2}\},|\},)$/,
]

/** It is JavaScript, and holds nothing but comments and lists of strings. */
function assertSnippet(text: string): void {
  for (const line of text.split('\n'))
    assert.ok(
      LINES.some((one) => one.test(line)),
      line,
    )
  new Script(`({\n${text}\n})`)
}

/** A list that is proposed holds only service accounts of the log, and no service agents. */
function assertProposed(proposed: readonly unknown[], lines: readonly Line[]): void {
  if (proposed.length > 0) parseAllowedCallers('allowedCallers', proposed)
  for (const entry of proposed) {
    assert.ok(
      lines.some(({ caller }) => caller?.email === entry),
      String(entry),
    )
    assert.match(String(entry), /^[^*].*\.gserviceaccount\.com$/)
    assert.doesNotMatch(String(entry), /^(?:service|project|bq|p)-?[0-9]+@|@gcp-sa-|@system\./)
  }
}
