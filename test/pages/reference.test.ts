/** The pages that are the reference of an entry say what is so, and their programs do it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import t from 'tap'
import {
  parseServiceClientOptions,
  SERVICE_CLIENT_OPTION_NAMES,
} from '../../src/client/service-client-options.ts'
import { parseEmulatorOptions } from '../../src/testing/emulator/emulator-options.ts'
import { ENDPOINT_NAMES, endpointAt } from '../../src/testing/emulator/endpoints.ts'
import { CLOUD_SCHEDULER_OPTION_NAMES } from '../../src/testing/push/cloud-scheduler.ts'
import { CLOUD_TASKS_OPTION_NAMES } from '../../src/testing/push/cloud-tasks.ts'
import { EVENTARC_OPTION_NAMES } from '../../src/testing/push/eventarc.ts'
import { HTTP_TARGET_OPTION_NAMES } from '../../src/testing/push/http-target.ts'
import { PUBSUB_OPTION_NAMES } from '../../src/testing/push/pubsub.ts'
import { PUSH_OPTION_NAMES } from '../../src/testing/push/push-options.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { audience } from '../helpers/shop.ts'
import { blocksIn, textOf, wholeProgram } from './blocks.ts'
import { withSource } from './programs.ts'
import { REFERENCE } from './tables.ts'

const client = textOf('docs/client.md')
const emulator = textOf('docs/emulator.md')
const blocks = blocksIn(emulator)

/** The cells of a table, row by row, without its head. */
function rowsOf(table: string, page = emulator): string[][] {
  const [, after = ''] = page.split(`<!-- ${table} -->`)
  const [text = ''] = after.split(`<!-- end of ${table} -->`)
  return rowsIn(text)
}

function rowsIn(text: string): string[][] {
  return [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
    row.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  )
}

/** What stands in backticks. */
function quotedIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted)
}

t.test('the table of the client has every option, with its default', (t) => {
  const rows = rowsOf('options', client)
  t.same(
    rows.map(([option]) => quotedIn(option)[0]),
    SERVICE_CLIENT_OPTION_NAMES,
  )
  const { refreshBefore, timeout } = parseServiceClientOptions({ url: 'https://a.example' })
  const told = new Map(rows.map(([option, standard]) => [quotedIn(option)[0], standard]))
  t.match(
    told,
    new Map([
      ['url', 'required'],
      ['tokenHeaders', `\`'both'\``],
      ['refreshBefore', String(refreshBefore / 1000)],
      ['timeout', String(timeout / 1000)],
    ]),
  )
  t.end()
})

t.test('the tables of the emulator have every option, with its default', (t) => {
  const named = (table: string) => rowsOf(table).map(([option]) => quotedIn(option)[0])
  t.same(named('push options'), PUSH_OPTION_NAMES)
  t.same(named('pubsub options'), PUBSUB_OPTION_NAMES)
  t.same(named('http target options'), HTTP_TARGET_OPTION_NAMES)
  t.same(named('cloud tasks options'), CLOUD_TASKS_OPTION_NAMES)
  t.same(named('cloud scheduler options'), CLOUD_SCHEDULER_OPTION_NAMES)
  t.same(named('eventarc options'), EVENTARC_OPTION_NAMES)

  const settings: Record<string, unknown> = { ...parseEmulatorOptions({}) }
  for (const [option = '', told = '', meaning = ''] of rowsOf('options')) {
    const value = settings[option.replaceAll('`', '')]
    const isTold = typeof value === 'number' || told.startsWith('`')
    if (isTold && option !== '`allowRemote`') t.match(told, String(value), option)
    t.not(meaning, '', option)
  }
  t.end()
})

t.test('the endpoints are those that there are', async (t) => {
  const rows = rowsOf('endpoints')
  t.same(
    rows.map(([endpoint]) => quotedIn(endpoint)[0]),
    ENDPOINT_NAMES,
  )
  const google = await startEmulator(t)
  const headers = { 'metadata-flavor': 'Google' }
  for (const [endpoint, paths] of rows) {
    for (const told of quotedIn(paths)) {
      const path = told.replace('EMAIL', 'a@example.com')
      t.equal(endpointAt(path), quotedIn(endpoint)[0], path)
      const answers = await Promise.all(
        ['GET', 'POST'].map((method) => fetch(`${google.url}${path}`, { method, headers })),
      )
      const statuses = answers.map(({ status }) => status)
      t.ok(
        statuses.some((status) => status !== 404),
        `${path} answers ${statuses.join()}`,
      )
    }
  }
})

t.test('the environment of a child process is what the page says', async (t) => {
  const google = await startEmulator(t)
  const [, section = ''] = emulator.split('## A service that asks the metadata server')
  const [text = ''] = section.split('\n## ')
  t.same(
    rowsIn(text)
      .map(([variable]) => quotedIn(variable)[0])
      .sort(),
    Object.keys(google.env).sort(),
  )
})

t.test('every block is in a program, or a line of a shell', (t) => {
  for (const page of REFERENCE.map(textOf)) {
    t.equal(page.match(/^```\w/gm)?.length, blocksIn(page).length)
  }
  t.end()
})

/** Runs a program of the page beside the files that it needs. */
function run(directory: string, file: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(directory, file)],
    {
      cwd: directory,
      // Not the environment of this process, and no coverage: another loader's positions differ.
      env: { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
      encoding: 'utf8',
      timeout: 30_000,
    },
  )
  return { status, output: `${stdout}${stderr}` }
}

t.test('the program of the emulator does what the page says', async (t) => {
  const directory = t.testdir({
    'emulated.ts': withSource(wholeProgram('emulated.ts', blocks)),
    'package.json': '{ "type": "module" }',
  })
  t.strictSame(run(directory, 'emulated.ts'), { status: 0, output: '' })
})

t.test('a child process has the metadata server, by curl too', async (t) => {
  const [curl] = blocks.filter(({ language }) => language === 'sh')
  const hasCurl = spawnSync('curl', ['--version']).status === 0
  const line = hasCurl
    ? String(curl?.code).replace('curl', 'curl --silent')
    : `node -e 'fetch("http://" + process.env.GCE_METADATA_HOST + "/computeMetadata/v1/instance/service-accounts/default/identity?audience=https://user-profiles-abc123-uc.a.run.app", { headers: { "Metadata-Flavor": "Google" } }).then((r) => r.text()).then(console.log)'`
  const directory = t.testdir({
    'child.ts': withSource(wholeProgram('child.ts', blocks)),
    'login.js': `import { execSync } from 'node:child_process'
      console.log(execSync(${JSON.stringify(line)}, { encoding: 'utf8' }))`,
    'package.json': '{ "type": "module" }',
  })
  const { status, output } = run(directory, 'child.ts')
  t.equal(status, 0, output)
  const claims = decodeJwt(output.trim())
  t.equal(claims.aud, audience)
  t.notOk('email' in claims)
})

/** Pages that show a test, and how many tests it has. */
const PAGES_WITH_TESTS = [
  { page: 'docs/cloud-run-frontend.md', tests: 1 },
  { page: 'docs/iap.md', tests: 2 },
  { page: 'docs/two-identities.md', tests: 1 },
] as const

for (const { page, tests } of PAGES_WITH_TESTS) {
  t.test(`the test of ${page} does what the page says`, async (t) => {
    const file = 'profiles.test.ts'
    const directory = t.testdir({
      [file]: withSource(wholeProgram(file, blocksIn(textOf(page)))),
      'package.json': '{ "type": "module" }',
    })
    const child = spawn(
      process.execPath,
      // The reporter by name: which one node:test takes by itself depends on Node's version.
      ['--test-reporter=tap', '--import', import.meta.resolve('tsx'), join(directory, file)],
      // Not the environment of this process: node:test would report to tap.
      { env: { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' }, timeout: 30_000 },
    )
    const exit = once(child, 'exit')
    const output = await text(child.stdout)
    t.same(await exit, [0, null], output)
    t.match(output, new RegExp(`^# pass ${tests}$`, 'm'))
  })
}
