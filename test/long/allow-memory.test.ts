/** `allow` reads a log of any length in the same memory, as a process, from a pipe. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const MEGABYTE = 1_000_000
/** What a process has at its peak for 200 MB, beyond that for 20 MB; 1 to 8 MB were seen. */
const MOST_MORE = 24 * MEGABYTE

/** Tells the peak of the memory of the process, in bytes, as the last line of standard error. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(
  `process.on('exit', () => process.stderr.write(process.resourceUsage().maxRSS * 1024 + '\\n'))`,
)}`

/** Every tenth line is one of the audit log. */
const LINES = Array.from({ length: 2_000 }, (_, i) => {
  const line = { level: 30, time: 1_700_000_000_000 + i, hostname: 'h', reqId: `req-${i}` }
  if (i % 10 > 0) return { ...line, req: { url: `/a?"]}[{,\\${i}` }, msg: 'incoming request' }
  const caller = { email: `robot-${i % 90}@shop-prod.iam.gserviceaccount.com`, subject: `${i}` }
  const seen = { method: 'GET', route: `/orders/${i % 40}`, outcome: 'accepted', caller, count: 2 }
  return { ...line, idToken: seen, msg: 'ID token audit' }
})
const ENTRIES = LINES.map((jsonPayload) => ({
  insertId: jsonPayload.reqId,
  jsonPayload,
  resource: { labels: { service_name: 'orders' }, type: 'cloud_run_revision' },
  severity: 'INFO',
}))

interface Form {
  readonly start: string
  /** Is repeated. */
  readonly lines: string
  readonly end: string
}

/** What pino writes, and what `gcloud logging read` prints. */
const FORMS: Readonly<Record<string, Form>> = {
  'lines of pino': { start: '', lines: LINES.map(withNewline).join(''), end: '' },
  'entries of Cloud Logging, one a line': {
    start: '',
    lines: ENTRIES.map(withNewline).join(''),
    end: '',
  },
  'one array of Cloud Logging': {
    start: '[\n',
    lines: ENTRIES.map((entry) => `${JSON.stringify(entry, null, 2)},\n`).join(''),
    end: `${JSON.stringify(ENTRIES[0])}\n]\n`,
  },
}

function withNewline(line: object): string {
  return `${JSON.stringify(line)}\n`
}

function* logOf({ start, lines, end }: Form, times: number): Generator<Buffer> {
  const block = Buffer.from(lines)
  if (start !== '') yield Buffer.from(start)
  for (let i = 0; i < times; i += 1) yield block
  if (end !== '') yield Buffer.from(end)
}

interface Run {
  readonly answer: unknown
  readonly progress: readonly string[]
  /** Bytes. */
  readonly peak: number
}

/** The young generation is kept small: V8 lets it grow with the load, and not with what is kept. */
async function run(form: Form, times: number): Promise<Run> {
  const flags = ['--max-semi-space-size=1', '--import', TELL_PEAK]
  const args = [...process.execArgv, ...flags, CLI, 'allow', '-', '--json', '--progress']
  const child = spawn(process.execPath, args, { timeout: 200_000 })
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
    pipeline(Readable.from(logOf(form, times)), child.stdin),
  ])
  const said = stderr.trimEnd().split('\n')
  return { answer: JSON.parse(stdout), progress: said.slice(0, -1), peak: Number(said.at(-1)) }
}

for (const [name, form] of Object.entries(FORMS)) {
  t.test(`${name}: the memory for 200 MB is that for 20 MB`, { timeout: 500_000 }, async (t) => {
    const times = Math.ceil((20 * MEGABYTE) / form.lines.length)
    const short = await run(form, times)
    const long = await run(form, 10 * times)
    const last = form.end === '' ? 0 : 1
    t.match(short.answer, { auditLines: 200 * times + last, unreadable: 0, callsBeyondLimit: 0 })
    t.match(long.answer, { auditLines: 2_000 * times + last, unreadable: 0, callsBeyondLimit: 0 })
    t.match(long.progress, [/^100\.\d MB read, /, /^20\d\.\d MB read, /], 'a line each 100 MB')
    t.comment(`${short.peak / MEGABYTE} MB, ${long.peak / MEGABYTE} MB`)
    t.ok(long.peak < short.peak + MOST_MORE, `${(long.peak - short.peak) / MEGABYTE} MB more`)
  })
}
