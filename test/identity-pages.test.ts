/** The pages about who calls: their tables are the code's, and their programs do what they say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { blocksIn, wholeProgram } from './readme-blocks.ts'
import { typeErrors } from './readme-programs.ts'
import { pageWithTables } from './readme-tables.ts'

const file = 'profiles.test.ts'
const pages = [
  { name: 'docs/iap.md', tests: 2 },
  { name: 'docs/two-identities.md', tests: 1 },
].map((one) => {
  const page = readFileSync(new URL(`../${one.name}`, import.meta.url), 'utf8')
  return { ...one, page, program: wholeProgram(file, blocksIn(page)) }
})

t.test('the programs pass the type check of the project', (t) => {
  const programs = pages.map(({ program }, i) => [`${i}-${file}`, program] as const)
  t.same(typeErrors(new Map(programs)), [])
  t.end()
})

for (const { name, tests, page, program } of pages) {
  t.test(`${name}: the tables are what the code says`, async (t) => {
    t.equal(page, await pageWithTables(name, page), 'run: npm run docs')
  })

  t.test(`${name}: the program does what it says`, async (t) => {
    t.equal(page.match(/^```\w/gm)?.length, 1)
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
    t.match(output, new RegExp(`^# pass ${tests}$`, 'm'))
  })
}
