/** The hook of `strip-types.js`. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/wasm-typescript'

/** https://nodejs.org/docs/latest-v20.x/api/module.html#loadurl-context-nextload */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts'))
    return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const { code } = transformSync(await readFile(filename, 'utf8'), {
    filename,
    mode: 'strip-only',
    module: true,
  })
  return { format: 'module', source: code, shortCircuit: true }
}
