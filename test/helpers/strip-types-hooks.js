/**
 * The hooks of `strip-types.js`. What it makes of a file is kept, for loading the compiler takes
 * longer than most tests: nearly every process finds each of its files there.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** `npm ci` empties it, and with it goes what another version of the compiler made. */
const kept = new URL('../../node_modules/.cache/strip-types/', import.meta.url)
mkdirSync(kept, { recursive: true })

/**
 * Takes tap in CommonJS: with hooks, each ES module costs two messages between threads, and tap has
 * two hundred of them.
 */
export function resolve(specifier, context, nextResolve) {
  if (specifier !== 'tap') return nextResolve(specifier, context)
  const conditions = context.conditions.filter((condition) => condition !== 'import')
  return nextResolve(specifier, { ...context, conditions: ['require', ...conditions] })
}

/** https://nodejs.org/docs/latest-v20.x/api/module.html#loadurl-context-nextload */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts'))
    return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const source = await withoutTypes(await readFile(filename, 'utf8'), filename)
  return { format: 'module', source, shortCircuit: true }
}

/** The code of a file, with blanks in the place of its types. */
export async function withoutTypes(source, filename) {
  const file = new URL(`${createHash('sha256').update(source).digest('hex')}.js`, kept)
  return readFile(file, 'utf8').catch(async () => {
    const { transformSync } = await import('@swc/wasm-typescript')
    const { code } = transformSync(source, { filename, mode: 'strip-only', module: true })
    // Another process may write the same file now.
    const unfinished = new URL(`${file.href}.${process.pid}`)
    await writeFile(unfinished, code)
    await rename(unfinished, file)
    return code
  })
}
