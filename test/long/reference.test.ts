/** The committed reference is the one that `npm run reference` makes of the docstrings. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

t.test('docs/reference is what the docstrings say today', async (t) => {
  const made = t.testdir()
  execFileSync(process.execPath, [join(root, 'node_modules/typedoc/bin/typedoc'), '--out', made], {
    cwd: root,
    stdio: 'pipe',
  })
  t.strictSame(pagesOf(join(root, 'docs/reference')), pagesOf(made), 'run: npm run reference')
})

/** The text of each page, by its path. */
function pagesOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    paths
      .filter((path) => path.endsWith('.md'))
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  )
}
