/** The programs of the pages that are the reference of an entry do what those say. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import t from 'tap'
import { audience } from '../../helpers/shop.ts'
import { blocksIn, textOf, wholeProgram } from '../../pages/blocks.ts'
import { withSource } from './programs.ts'

const blocks = blocksIn(textOf('docs/emulator.md'))

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
    : `node -e 'fetch("http://" + process.env.GCE_METADATA_HOST + "/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=https://user-profiles-abc123-uc.a.run.app", { headers: { "Metadata-Flavor": "Google" } }).then((r) => r.text()).then(console.log)'`
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
  t.equal(claims.email, 'login@shop-prod.iam.gserviceaccount.com')
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
