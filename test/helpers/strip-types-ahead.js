/**
 * Keeps every file of the tests without its types before the first test runs: in one process, for
 * each test file is in a process of its own, which would have to load the compiler for it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withoutTypes } from './strip-types-hooks.js'

if (!process.features.typescript) {
  for (const folder of ['examples', 'fixtures', 'scripts', 'src', 'test']) {
    const root = fileURLToPath(new URL(`../../${folder}/`, import.meta.url))
    for (const file of readdirSync(root, { recursive: true })) {
      if (!file.endsWith('.ts') || file.includes('node_modules')) continue
      await withoutTypes(readFileSync(`${root}${file}`, 'utf8'), `${root}${file}`)
    }
  }
}
