import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import t from 'tap'

const root = new URL('../../..', import.meta.url)
const START = ['--import', 'tsx', 'examples/start.ts']

// tap would count what these processes run. tsx puts a module on one line, of which every part then
// counts as covered: gaps in the tests of src would not be seen.
const NO_COVERAGE = { _TAPJS_PROCESSINFO_COVERAGE_: '0' }

interface Program {
  child: ChildProcessByStdio<null, Readable, Readable>
  stdout: () => string
  stderr: () => string
  /** The exit code; `null` where the time was up. */
  exit: Promise<number | null>
}

function run(command: string, args: string[], env: Record<string, string> = {}): Program {
  const child = spawn(command, args, {
    cwd: root,
    env: {
      ...process.env,
      ...NO_COVERAGE,
      LOG_LEVEL: '',
      FORCE_COLOR: '0',
      npm_lifecycle_event: '',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exit: once(child, 'close').then(([code]) => code as number | null),
  }
}

/** Whatever went wrong, nothing that a test started outlives it. */
function killAll({ child: { pid } }: Program): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits for the last line that it prints before it only serves. */
async function serving({ child, stdout, exit }: Program): Promise<void> {
  const ended = exit.then(() => 'ended')
  while (!stdout().includes('/welcome/7\n')) {
    if ((await Promise.race([once(child.stdout, 'data'), ended])) === 'ended') {
      throw new Error(`It ended instead of serving:\n${stdout()}`)
    }
  }
}

function curlLinesOf(program: Program): string[] {
  return program.stdout().match(/(?<=^ +)curl -i .*$/gm) ?? []
}

const FRONT_END = 'through the front end'

/** `caller service route header status code`, one string a call, with wrapped cells joined. */
function callsIn(stdout: string): string[] {
  return stdout
    .split(FRONT_END, 1)
    .join('')
    .replace(/ +(\d{3} [✓✗].*)\n {8,}(\(.*)/gu, ' $2 $1')
    .split('\n')
    .filter((line) => /\d{3} [✓✗]/u.test(line))
    .map((line) => line.replace(/ +/g, ' '))
}

/** `name, with the IAM check on, with it off`, one string a row, by the title above it. */
function journeysIn(stdout: string): Record<string, string[]> {
  const [, part = ''] = stdout.split(FRONT_END)
  const sections = part.split('\n\n').map((section) => section.trim().split('\n').slice(-7))
  return Object.fromEntries(
    sections.map((lines) => {
      const rows = lines.filter((line) => line.includes('✓'))
      const title = lines[lines.indexOf(rows[0] ?? '') - 1] ?? ''
      return [title, rows.map((line) => line.split(/ {2,}/).join(', '))]
    }),
  )
}

/** The lines of text in the picture of the README, with one space where columns part. */
function rowsOfPicture(): string[] {
  const picture = readFileSync(new URL('docs/start.svg', root), 'utf8')
  const [, inner = ''] = picture.split(/<\/?g\b/)
  const rows = inner.split('\n').slice(1, -1)
  return rows.map((row) => [...row.matchAll(/>([^<]+)</g)].map(([, text = '']) => text).join(' '))
}

const PROFILE = 'user-profiles GET /profiles/7'
const CREDENTIALS = [
  'metadata server',
  'service-account key',
  'impersonation',
  'federation',
  'federation, no URL',
  "person's login",
]
const PRODUCTS = ['Pub/Sub', 'Cloud Tasks', 'Cloud Scheduler', 'Eventarc']
const BOTH = 'X-Serverless-Authorization (stripped), Authorization'

t.test('npm start -- --once prints the calls of the scenario and exits 0', async (t) => {
  const program = run('npm', ['start', '--silent', '--', '--once'])
  t.equal(await program.exit, 0)
  const calls = callsIn(program.stdout())
  for (const [what, call] of Object.entries({
    'allowed, Authorization': `login ${PROFILE} Authorization 200 ✓`,
    'allowed, X-Serverless-Authorization': `login ${PROFILE} X-Serverless-Authorization 200 ✓`,
    'a list of the route': 'signup user-profiles POST /profiles Authorization 201 ✓',
    'login may not search':
      'login search GET /items Authorization 403 ✓ ID_TOKEN_CALLER_NOT_ALLOWED',
    'no token': `nobody ${PROFILE} none 401 ✓ ID_TOKEN_MISSING`,
    expired: `login ${PROFILE} Authorization (expired) 401 ✓ ID_TOKEN_EXPIRED`,
    'wrong audience': `login ${PROFILE} Authorization (for search) 401 ✓ ID_TOKEN_AUDIENCE_MISMATCH`,
    stripped: `login ${PROFILE} X-Serverless-Authorization (stripped) 401 ✓ ID_TOKEN_SIGNATURE_REMOVED`,
    'stripped with its twin': `login ${PROFILE} ${BOTH} 200 ✓`,
    'anonymous on the optional route': 'nobody user-profiles GET /hello none 200 ✓',
    'a service that calls another': 'nobody login GET /welcome/7 none 200 ✓',
    'Express, allowed': 'login express GET /profiles/7 Authorization 200 ✓',
    'Express, refused':
      'signup express GET /profiles/7 Authorization 403 ✓ ID_TOKEN_CALLER_NOT_ALLOWED',
  })) {
    t.ok(calls.includes(call), what, { expected: call, calls })
  }

  const verified = '200 ✓ verified from authorization'
  const removed = '401 ✓ ID_TOKEN_SIGNATURE_REMOVED'
  const each = (names: string[], on: string, off: string): string[] =>
    names.map((name) => `${name}, ${on}, ${off}`)
  const journeys = journeysIn(program.stdout())
  const pushes =
    'Pushes: they send one header, so with the IAM check on they need trustRemovedSignature'
  t.match(journeys, {
    "createServiceClient({ tokenHeaders: 'both' })": each(CREDENTIALS, verified, verified),
    "createServiceClient({ tokenHeaders: 'x-serverless-authorization' })": each(
      CREDENTIALS,
      removed,
      removed,
    ),
    "createServiceClient({ tokenHeaders: 'authorization' })": each(CREDENTIALS, removed, verified),
    "createServiceClient({ tokenHeaders: { twin: 'x-profiles-token' } }), Authorization is a user's":
      each(
        CREDENTIALS.filter((name) => name !== "person's login"),
        '200 ✓ verified from x-profiles-token',
        '200 ✓ verified from x-profiles-token',
      ),
    [pushes]: [
      ...each(PRODUCTS, removed, verified),
      'Pub/Sub by search, 403 ✓ Google Frontend, 403 ✓ ID_TOKEN_CALLER_NOT_ALLOWED',
    ],
  })
  const total = calls.length + 2 * Object.values(journeys).flat().length
  t.match(program.stdout(), `\n${total} calls, all as expected.`)
  t.notMatch(program.stdout(), '✗')
  t.ok(
    program
      .stdout()
      .split('\n')
      .every((line) => line.length <= 100),
    'the tables fit 100 columns',
  )
  t.notMatch(program.stderr(), '"level"', 'expected refusals are not logged')
  t.notMatch(program.stdout() + program.stderr(), 'eyJ', 'no token is printed')
  const printed = program
    .stdout()
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '))
  t.ok(rowsOfPicture().length > 30)
  t.same(
    rowsOfPicture().filter((row) => !row.startsWith('…') && !printed.includes(row)),
    [],
    'docs/start.svg shows what is printed: npm run picture',
  )
})

t.test('a call that comes out otherwise is shown, and exits 1', async (t) => {
  const program = run(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    `const { SCENARIO } = await import('./examples/scenario.ts')
     const { RULES } = await import('./examples/expected-outcomes.ts')
     SCENARIO.flatMap(({ calls }) => calls).find(({ code }) => code === 'ID_TOKEN_MISSING').status = 200
     RULES[5].outcome = { status: 403, code: 'ID_TOKEN_CALLER_NOT_ALLOWED' }
     process.argv.push('--once')
     await import('./examples/start.ts')`,
  ])
  t.equal(await program.exit, 1)
  t.match(program.stdout(), /none +401 ✗ +ID_TOKEN_MISSING\n +expected 200/u)
  t.match(
    program.stdout(),
    /^Eventarc .*200 ✗ verified from authorization\n +expected 403\n? *ID_TOKEN_CALLER_NOT_ALLOWED/mu,
  )
  t.match(program.stdout(), /\d+ calls, 11 of them not as expected\./)
})

const soon = (): AbortSignal => AbortSignal.timeout(5000)

/** What a shell would make of the printed lines `NAME=$(curl …)`. */
async function variablesOf(program: Program): Promise<Map<string, string>> {
  const lines = program
    .stdout()
    .matchAll(/^ +(\w+)=\$\(curl -s -H '([\w-]+): (\w+)' '([^']+)'\)$/gm)
  const variables = new Map<string, string>()
  for (const [, variable = '', name = '', value = '', url = ''] of lines) {
    const response = await fetch(url, { headers: { [name]: value }, signal: soon() })
    variables.set(variable, await response.text())
  }
  return variables
}

/** And of a `curl -i` line. */
async function paste(line: string, variables: ReadonlyMap<string, string>): Promise<Response> {
  const parts = /^curl -i (?<options>(?:-H "[\w-]+: Bearer \$\w+" )*)(?<url>\S+)$/.exec(
    line,
  )?.groups
  if (parts === undefined) throw new Error(`Not a line that this test knows: ${line}`)
  const { options = '', url = '' } = parts
  const headers = [...options.matchAll(/-H "([\w-]+): Bearer \$(\w+)"/g)].map(
    ([, name = '', variable = '']): [string, string] => [
      name,
      `Bearer ${variables.get(variable) ?? ''}`,
    ],
  )
  return fetch(url, { headers, signal: soon() })
}

t.test('npm start keeps serving what its curl lines call, until Ctrl-C', async (t) => {
  const program = run(process.execPath, START)
  t.teardown(() => {
    killAll(program)
  })
  await serving(program)
  const lines = curlLinesOf(program)
  const variables = await variablesOf(program)
  const answers = await Promise.all(lines.map((line) => paste(line, variables)))
  const [profile, throughFrontEnd, items, hello, welcome] = answers
  t.equal(lines.length, 5)
  const served = { id: '7', servedFor: 'login@shop-prod.iam.gserviceaccount.com' }
  t.match(await profile?.json(), served)
  t.match(await throughFrontEnd?.json(), served)
  t.equal(items?.status, 403)
  t.match(await items?.json(), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })
  t.equal(await hello?.text(), 'Hello, anonymous user.\n')
  t.equal(await welcome?.text(), 'Welcome, Ada!\n')

  program.child.kill('SIGINT')
  t.equal(await program.exit, 0)
  const logged = JSON.parse(program.stderr()) as unknown
  t.match(logged, { level: 40, service: 'search', code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })
  t.notMatch(program.stdout() + program.stderr(), 'eyJ', 'no token is printed')
  await t.rejects(fetch(hello?.url ?? ''), 'nothing listens any more')
})

t.test('SIGTERM ends it like Ctrl-C', async (t) => {
  const program = run(process.execPath, START)
  t.teardown(() => {
    killAll(program)
  })
  await serving(program)
  program.child.kill('SIGTERM')
  t.equal(await program.exit, 0)
})

t.test('SIGTERM to npm alone leaves nothing behind', async (t) => {
  const program = run('npm', ['start', '--silent'])
  t.teardown(() => {
    killAll(program)
  })
  await serving(program)
  program.child.kill('SIGTERM')
  // Its pipes close when the last process that writes to them has ended.
  await t.resolves(program.exit)
})

t.test('what it does not know is named, with its usage, and exits 2', async (t) => {
  const [option, level] = [
    run(process.execPath, [...START, '--twice']),
    run(process.execPath, START, { LOG_LEVEL: 'loud' }),
  ]
  t.equal(await option.exit, 2)
  t.match(option.stderr(), /--twice[^]*Usage: npm start/)
  t.equal(await level.exit, 2)
  t.match(level.stderr(), /LOG_LEVEL is loud[^]*Usage: npm start/)
  t.equal(option.stdout() + level.stdout(), '')
})
