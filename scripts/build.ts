/**
 * Builds `dist`: the JavaScript of each entry with esbuild, the declarations with tsc.
 *
 * A service on Cloud Run pays for each module at every cold start, so the modules of `src` become a
 * few files. What entries share is in chunks and not in copies: `IdTokenError` must be one class in
 * all of them. Dependencies stay outside, where `npm audit` and `npm update` see them.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { bin, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
  exports: Record<string, string | { readonly default: string }>
}
const sourceOf = (file: string): string => join('src', basename(file).replace(/\.js$/, '.ts'))
const entries = Object.values(exports).flatMap((target) =>
  typeof target === 'string' ? [] : [sourceOf(target.default)],
)

rmSync(join(root, 'dist'), { recursive: true, force: true })
await bundle(entries, { chunkNames: 'chunks/[name]-[hash]', sourcemap: 'linked' })
// By itself: what the command shares with the library would be in chunks of its own, and services
// would load more files. Without source maps, which would be a fifth of the package.
await bundle(Object.values(bin).map(sourceOf), { chunkNames: 'chunks/cli-[name]-[hash]' })

async function bundle(
  entryPoints: string[],
  options: Pick<BuildOptions, 'chunkNames' | 'sourcemap'>,
): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // The oldest Node in "engines".
    target: 'node20.19',
    packages: 'external',
    // `src` is not published: the maps hold its text.
    sourcesContent: true,
    logLevel: 'warning',
    ...options,
  })
}

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
