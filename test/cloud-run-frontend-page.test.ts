import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { blocksIn, wholeProgram } from './readme-blocks.ts'
import { typeErrors } from './readme-programs.ts'
import { pageWithTables } from './readme-tables.ts'

const name = 'docs/cloud-run-frontend.md'
const page = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const file = 'profiles.test.ts'
const program = wholeProgram(file, blocksIn(page))

t.test('the table of options is what the code says', async (t) => {
  t.equal(page, await pageWithTables(name, page), 'run: npm run docs')
})

t.test('the program does what it says', async (t) => {
  t.equal(page.match(/^```\w/gm)?.length, 1)
  t.same(typeErrors(new Map([[file, program]])), [])
  const directory = t.testdir({
    [file]: program.replaceAll(
      /'fastify-google-id-token(?:\/(\w+))?'/g,
      (_, entry = 'index') => `'${new URL(`../src/${String(entry)}.ts`, import.meta.url).href}'`,
    ),
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
  t.match(output, /^# pass 1$/m)
})
