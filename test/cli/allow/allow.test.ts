import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { AllowedCaller } from '../../../src/index.ts'
import { jsonOf, runVerb } from '../../helpers/command-line.ts'

const ORDERS = 'orders@shop-prod.iam.gserviceaccount.com'
const BILLING = 'billing@shop-prod.iam.gserviceaccount.com'
const STRAY = 'stray@elsewhere.iam.gserviceaccount.com'
const SUBJECT = '112233445566778899001'

interface Line {
  method?: string
  route?: string | null
  outcome?: string
  count?: number
  caller?: { email?: string; subject?: string } | null
}

function line(email: string | undefined, { route = '/orders', ...others }: Line = {}): object {
  const caller = { ...(email !== undefined && { email }), subject: SUBJECT }
  const idToken = { method: 'GET', route, outcome: 'accepted', enforced: false, caller, ...others }
  return { level: 30, time: 1, msg: 'ID token', idToken }
}

const jsonLines = (lines: readonly object[]): string =>
  lines.map((one) => `${JSON.stringify(one)}\n`).join('')

function file(t: Test, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'allow-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  writeFileSync(join(directory, 'file'), content)
  return join(directory, 'file')
}

interface Proposals {
  projects: string[]
  routes: {
    route: string
    allowedCallers: AllowedCaller[]
    callers: { entry: AllowedCaller | null; calls: number; against: string[]; doubts: string[] }[]
    unknownCallers: Record<string, number>
  }[]
  auditLines: number
  unreadable: number
  callsBeyondLimit: number
  callsWithoutRoute: number
  callsCountedTogether: number
}

async function proposalsFor(stdin: string | Readable, ...args: string[]): Promise<Proposals> {
  return jsonOf(await runVerb(['allow', '--json', ...args], { stdin }))
}

t.test('pino lines, an array of Cloud Logging and its lines give the same lists', async (t) => {
  const lines = [
    line(ORDERS, { count: 3 }),
    line(BILLING, { count: 40 }),
    line(ORDERS, { route: '/a', count: 100 }),
  ]
  const entries = lines.map((jsonPayload) => ({ insertId: 'x', jsonPayload }))
  const fromPino = await proposalsFor(`not JSON\n${jsonLines([{ msg: 'started' }, ...lines])}`)
  t.same(await proposalsFor(JSON.stringify(entries, null, 2)), fromPino)
  t.same(await proposalsFor(jsonLines(entries), '-'), fromPino)
  t.same(await proposalsFor('', file(t, jsonLines(entries))), fromPino)
  t.same(
    fromPino.routes.map(({ route, allowedCallers }) => [route, allowedCallers]),
    [
      ['/a', [ORDERS]],
      ['/orders', [BILLING, ORDERS]],
    ],
  )
  t.equal(fromPino.auditLines, 3)
})

t.test('the snippet is code that the plugin accepts', async (t) => {
  const { stdout, code } = await runVerb(['allow'], {
    stdin: jsonLines([line(ORDERS, { count: 1200 }), line(STRAY), line(undefined)]),
  })
  t.equal(code, 0)
  t.match(stdout, '// Accounts of "shop-prod" call most')
  t.match(stdout, `"${ORDERS}", // 1,200 calls\n`)
  t.match(stdout, `      // "${STRAY}", // 1 call; of project elsewhere`)
  t.match(stdout, `      // "${SUBJECT}", // 1 call; its token has no email`)
  t.end()
})

t.test('what speaks against an entry keeps it out of the list, and is said', async (t) => {
  const rows: [Line['caller'], RegExp][] = [
    [{ email: STRAY, subject: '1' }, /of project elsewhere, and not of those of --project/],
    [{ email: 'p@example.com', subject: '2' }, /a person/],
    [{ email: 'service-7@gcp-sa-pubsub.iam.gserviceaccount.com', subject: '3' }, /service agent/],
    [{ email: 'chat@system.gserviceaccount.com', subject: '4' }, /service agent|cannot hold/],
    [{ email: '9-compute@developer.gserviceaccount.com', subject: '5' }, /of project 9,/],
    [{ email: 'Big@Example.com', subject: '6' }, /cannot hold/],
    [{ email: 'x@new.gserviceaccount.com', subject: '7' }, /no known form of a service account/],
    [{ email: 'orders\u0455@shop-prod.iam.gserviceaccount.com', subject: '8' }, /no known form/],
    [{ subject: SUBJECT }, /no email/],
    [{ subject: 'spiffe://somebody' }, /cannot hold/],
  ]
  const stdin = jsonLines(rows.map(([caller]) => line(undefined, { caller: caller ?? null })))
  const { routes } = await proposalsFor(stdin, '--project', 'shop-prod')
  t.same(routes[0]?.allowedCallers, [])
  t.equal(routes[0]?.callers.length, rows.length)
  for (const [index, [, reason]] of rows.entries()) {
    t.match(routes[0]?.callers[index]?.against.join(), reason)
    t.match(routes[0]?.callers[index]?.doubts, ['seen once'])
  }
})

t.test('without an account of a project there is no project to guess', async (t) => {
  const { projects, routes } = await proposalsFor(jsonLines([line('x@new.gserviceaccount.com')]))
  t.same(projects, [])
  t.same(
    routes.map(({ allowedCallers }) => allowedCallers),
    [[]],
  )
})

t.test('the accounts of the projects that are named are proposed', async (t) => {
  const stdin = jsonLines([
    line(ORDERS),
    line(STRAY),
    line('9-compute@developer.gserviceaccount.com'),
    line('old@appspot.gserviceaccount.com'),
  ])
  const named = ['elsewhere', '9', 'old'].flatMap((project) => ['--project', project])
  const { routes, projects } = await proposalsFor(stdin, ...named)
  t.same(projects, ['elsewhere', '9', 'old'])
  t.equal(routes[0]?.allowedCallers.includes(ORDERS), false)
  t.equal(routes[0]?.allowedCallers.length, 3)
})

t.test('requests without a known caller, and refusals of other kinds, are reported', async (t) => {
  const stdin = jsonLines([
    line(ORDERS, { count: 2 }),
    line(ORDERS, { count: 1, outcome: 'ID_TOKEN_EXPIRED' }),
    line(undefined, { caller: null, outcome: 'anonymous', count: 5 }),
    line(undefined, { caller: null, outcome: 'anonymous', count: 6 }),
    line(undefined, { caller: null, route: null, outcome: 'refused', count: 7 }),
    { idToken: { method: null, route: null, outcome: 'others', caller: null, count: 9 } },
  ])
  const { routes, callsWithoutRoute, callsCountedTogether } = await proposalsFor(stdin)
  t.match(routes[0]?.callers[0]?.doubts, ['refused for another reason too: ID_TOKEN_EXPIRED'])
  t.same(routes[0]?.unknownCallers, { anonymous: 11 })
  t.same([callsWithoutRoute, callsCountedTogether], [7, 9])
  const { stdout } = await runVerb(['allow'], { stdin })
  t.match(stdout, '// 11 calls of unknown callers: "anonymous"')
  t.match(stdout, '// 7 calls to no route')
  t.match(stdout, '// 9 calls are missing here: the audit log has counted them together')
})

t.test('where nobody is proposed, no list is printed that would stop the start', async (t) => {
  const stdin = jsonLines([
    line(undefined, { caller: null, route: '/health', outcome: 'ID_TOKEN_MISSING', count: 6 }),
    line('p@example.com', { route: '/a' }),
  ])
  const { stdout } = await runVerb(['allow'], { stdin })
  t.equal(
    stdout,
    [
      '// "GET /health"',
      '// config: { idToken: false }, // if anyone may call it; otherwise it needs a list',
      '// 6 calls of unknown callers: "ID_TOKEN_MISSING"',
      '',
      '// "GET /a"',
      'config: {',
      '  idToken: {',
      '    allowedCallers: [',
      '      // nobody is proposed, and an empty list stops the start: decide about these',
      '      // { email: "p@example.com" }, // 1 call; a person and not a service account; seen once',
      '    ],',
      '  },',
      '},',
      '',
      '',
    ].join('\n'),
  )
})

t.test('nothing in a log breaks out of its quotes', async (t) => {
  const hostile = 'x`*/ "\'\n\r\u2028\u202e\u0000\u009b$' + '{process.exit()}'
  const stdin = jsonLines([
    line(ORDERS, { route: hostile, method: hostile, outcome: hostile }),
    line(hostile, { route: '__proto__' }),
    line(`"]};process.exit();//@example.com`, { route: '/a' }),
    line(undefined, { route: '/a', caller: null, outcome: hostile }),
  ])
  const { stdout } = await runVerb(['allow'], { stdin })
  t.notMatch(stdout, /[^\x20-\x7e\n]/)
  for (const text of stdout.split('\n')) {
    const literals = text.replace(/"(?:[^"\\]|\\.)*"/g, '')
    t.match(
      literals,
      /^ *(?:|config: \{|idToken: \{|allowedCallers: \[|\],|\},|, \/\/.*|\/\/.*)$/,
      text,
    )
  }
  const json = await runVerb(['allow', '--json'], { stdin })
  t.notMatch(json.stdout, /[^\x20-\x7e\n]/)
})

t.test('a line that is no audit line, cut off or too long is not taken', async (t) => {
  const stdin = [
    JSON.stringify({ idToken: 'a string' }),
    JSON.stringify({ idToken: { method: 'GET', outcome: 7 } }),
    JSON.stringify({ idToken: { method: 'x'.repeat(2000), outcome: 'accepted' } }),
    JSON.stringify(line(ORDERS)).slice(0, -5),
    JSON.stringify({ ...line(ORDERS), pad: 'x'.repeat(1_100_000) }),
    JSON.stringify(line(ORDERS, { count: -4 })),
  ].join('\n')
  const read = await proposalsFor(stdin)
  t.match(read, { auditLines: 1, unreadable: 2, routes: [{ calls: 1 }] })
  t.match((await runVerb(['allow'], { stdin })).stdout, 'too long: 2')
})

t.test('without one audit line the answer is negative and says what to do', async (t) => {
  const { code, stdout } = await runVerb(['allow'], { stdin: '{"msg":"started"}\n' })
  t.equal(code, 1)
  t.match(stdout, 'is the option auditLog on?')
})

t.test('a flood of callers and routes is bounded, and said', async (t) => {
  function* flood(): Generator<Buffer> {
    for (let chunk = 0; chunk < 30; chunk += 1) {
      const lines = Array.from({ length: 1_000 }, (_, i) => {
        const id = chunk * 1_000 + i
        return line(`a${id}@p.iam.gserviceaccount.com`, { route: `/r${id % 5_000}` })
      })
      yield Buffer.from(jsonLines(lines))
    }
    yield Buffer.from(jsonLines([line(undefined, { caller: null, outcome: 'late', count: 9 })]))
  }
  const read = await proposalsFor(Readable.from(flood()))
  t.equal(read.auditLines, 30_001)
  t.equal(read.callsBeyondLimit, 10_009)
  const { stdout } = await runVerb(['allow'], { stdin: Readable.from(flood()) })
  t.match(stdout, '// 10,009 calls are missing here')
})

t.test('a file that is no list of callers is refused', async (t) => {
  for (const [content, said] of [
    ['{', /holds no JSON; accepted: the JSON of listAllowedCallers/],
    ['{}', /holds no list/],
    ['[null]', /no route at \[0\]/],
    [
      '[{"method":"GET","url":"/","access":"callers","allowedCallers":["*"]}]',
      /GET \/ allowedCallers\[0\] is '\*'/,
    ],
  ] as const) {
    const ran = await runVerb(['allow', '--against', file(t, content)])
    t.equal(ran.code, 2)
    t.match(ran.stderr, said)
  }
  t.match(await runVerb(['allow', '--against', '/no/such'], {}), {
    code: 2,
    stderr: /"\/no\/such" cannot be read: ENOENT/,
  })
  const endless = Readable.from(Array<Buffer>(65).fill(Buffer.alloc(1024 * 1024)))
  t.match(await runVerb(['allow', '--against', '-'], { stdin: endless }), {
    code: 2,
    stderr: /more than 64 MiB/,
  })
  t.match(await runVerb(['allow', '--against', '-'], { stdin: 'x' }), {
    stderr: /^Standard input holds no JSON/,
  })
})

t.test('progress is on standard error: on a terminal, or if asked for', async (t) => {
  const megabyte = Buffer.from(`${' '.repeat(999_999)}\n`)
  const big = Readable.from([
    Buffer.concat(Array<Buffer>(99).fill(megabyte)),
    Buffer.concat([megabyte, megabyte]),
    Buffer.from(jsonLines([line(ORDERS)])),
  ])
  const asked = await runVerb(['allow', '--progress'], { stdin: big })
  t.equal(
    asked.stderr,
    '101.0 MB read, 0 lines of the audit log\n101.0 MB read, 1 lines of the audit log\n',
  )
  let now = 0
  const terminal = await runVerb(['allow'], {
    stdin: Readable.from([Buffer.from('\n'), Buffer.from('\n'), Buffer.from('\n')]),
    terminals: ['stderr'],
    now: () => (now += 150),
  })
  t.match(terminal.stderr, /^\r0\.0 MB[^\r]*\r0\.0 MB[^\r]*\n$/)
  t.equal((await runVerb(['allow'], { stdin: jsonLines([line(ORDERS)]) })).stderr, '')
})
