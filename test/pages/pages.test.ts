/** What holds for every page: its links and its tables. */
import { existsSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { textOf } from './blocks.ts'
import { FILLED, pageWithTables } from './tables.ts'

const { files } = JSON.parse(textOf('package.json')) as { files: string[] }

/** What npm packs in any case, and what package.json names. */
const PACKED = ['README.md', 'LICENSE', 'package.json', ...files]

const docs = readdirSync(new URL('../../docs', import.meta.url))
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`)
const packedPages = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...docs]
const pagesOfTheRepository = ['CONTRIBUTING.md', 'examples/README.md', 'fixtures/README.md']

interface Link {
  readonly page: string
  /** As the page has it. */
  readonly href: string
  /** Where it leads, from the root. */
  readonly target: string
  readonly anchor: string | undefined
}

t.test(
  'the tables are what the code says, and the files that are shown are those of the repository',
  async (t) => {
    for (const name of FILLED) {
      const page = textOf(name)
      t.equal(page, await pageWithTables(name, page), `${name}: run npm run docs`)
    }
  },
)

// What the package does not hold is named without a link: a page is read on GitHub, on npm and in
// node_modules.
t.test('the links of packed pages lead to packed files', async (t) => {
  const links = packedPages.flatMap(linksOf)
  t.ok(links.length > 40)
  t.same(links.filter(isBroken), [])
  t.same(
    links.filter(({ target }) => !isPacked(target)),
    [],
  )
})

t.test('the links of pages that are in the repository alone lead somewhere', async (t) => {
  t.same(pagesOfTheRepository.flatMap(linksOf).filter(isBroken), [])
})

t.test('every page of docs/ is in the index', async (t) => {
  const linked = linksOf('docs/README.md').map(({ target }) => target)
  t.same(
    docs.filter((page) => page !== 'docs/README.md' && !linked.includes(page)),
    [],
  )
})

// On the site a file name says nothing.
t.test('the text of a link is a title, and in the index that of the page', async (t) => {
  const texts = packedPages.flatMap((page) => [
    ...textOf(page).matchAll(/\[([^\]]+)\]\(([^)]+)\)/g),
  ])
  t.same(
    texts.map(([, text = '']) => text).filter((text) => /^[\w./-]+\.md$/.test(text)),
    [],
  )
  const rows = textOf('docs/README.md').matchAll(/^\| \[([^\]]+)\]\(([^)]+)\)/gm)
  for (const [, text = '', href = ''] of rows) {
    if (href.startsWith('reference/')) continue
    const [, title = ''] = /^# (.+)$/m.exec(textOf(posix.join('docs', href))) ?? []
    t.equal(text, title.replaceAll('`', ''), href)
  }
})

function linksOf(page: string): Link[] {
  const prose = textOf(page).replaceAll(/^```.*?^```$/gms, '')
  const inline = [...prose.matchAll(/\]\(([^)]+)\)/g)]
  const byName = [...prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
  return [...inline, ...byName]
    .map(([, href = '']) => href)
    .filter((href) => !href.startsWith('https://'))
    .map((href) => {
      const [path = '', anchor] = href.split('#')
      return {
        page,
        href,
        target: path === '' ? page : posix.join(posix.dirname(page), path),
        anchor,
      }
    })
}

function isBroken({ target, anchor }: Link): boolean {
  if (!existsSync(fileURLToPath(new URL(`../../${target}`, import.meta.url)))) return true
  return anchor !== undefined && !anchorsOf(target).includes(anchor)
}

function isPacked(target: string): boolean {
  return PACKED.some((entry) => target === entry || target.startsWith(`${entry}/`))
}

/** As GitHub makes them of the headings. */
function anchorsOf(page: string): string[] {
  const prose = textOf(page).replaceAll(/^```.*?^```$/gms, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
