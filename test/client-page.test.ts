import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  parseServiceClientOptions,
  SERVICE_CLIENT_OPTION_NAMES,
} from '../src/client/service-client-options.ts'
import { blocksIn, wholeProgram } from './readme-blocks.ts'
import { typeErrors } from './readme-programs.ts'
import { pageWithTables } from './readme-tables.ts'

const name = 'docs/client.md'
const page = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const blocks = blocksIn(page)

t.test('the tables are what the code says', async (t) => {
  t.equal(page, await pageWithTables(name, page), 'run: npm run docs')
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (.+?) +\|/gm)].map(([, ...cells]) => cells)
  const options = rows.slice(0, SERVICE_CLIENT_OPTION_NAMES.length)
  t.same(
    options.map(([option]) => option),
    SERVICE_CLIENT_OPTION_NAMES,
  )
  const { refreshBefore, timeout } = parseServiceClientOptions({
    url: 'https://a.example',
  })
  t.match(
    new Map(options as [string, string][]),
    new Map([
      ['url', 'required'],
      ['tokenHeaders', `\`'both'\``],
      ['refreshBefore', String(refreshBefore / 1000)],
      ['timeout', String(timeout / 1000)],
    ]),
  )
})

t.test('the programs pass the type check of the project', async (t) => {
  const files = new Set(blocks.filter(({ language }) => language === 'ts').map(({ file }) => file))
  t.notOk(files.has(undefined), 'each block says which file it is in')
  const programs = [...files].map((file = '') => [file, wholeProgram(file, blocks)] as const)
  t.equal(programs.length, 5)
  t.same(typeErrors(new Map(programs)), [])
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
})
