/**
 * `npm run fuzz`: runs the fuzz targets with Jazzer.js, each for a while, and keeps what it finds in
 * `corpus`.
 *
 * Options: `--seconds N` for each target, default 60; the names of the targets, default all.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { corpusOf, folder, TARGETS } from './targets.ts'

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' } },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
const targets = positionals.length === 0 ? TARGETS : positionals
if (!Number.isInteger(seconds) || !targets.every((one) => TARGETS.some((name) => name === one))) {
  throw new Error(`accepted: --seconds N, and of the targets ${TARGETS.join(', ')}`)
}

/** Beside the packages that the bundles import. */
const bundles = join(folder, '.build')
const jazzer = join(folder, 'node_modules/@jazzer.js/core/dist/cli.js')

/**
 * One CommonJS file of each target, because Jazzer.js counts what a `require` loads. jose is only the
 * reference, and what it covers says nothing about this package.
 */
async function bundle(): Promise<void> {
  await build({
    entryPoints: targets.map((target) => join(folder, 'targets', `${target}.ts`)),
    outdir: bundles,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['jose'],
    logLevel: 'warning',
  })
}

/** Runs Jazzer.js; it succeeds if no input breaks a promise. */
function run(
  target: string,
  corpora: readonly string[],
  { options, stdio }: { readonly options: readonly string[]; readonly stdio: 'inherit' | 'ignore' },
): boolean {
  const { status } = spawnSync(
    process.execPath,
    [jazzer, join(bundles, `${target}.cjs`), ...corpora, '--includes', '.build', '--', ...options],
    { cwd: folder, stdio },
  )
  return status === 0
}

function fuzz(target: string): boolean {
  const corpus = corpusOf(target)
  mkdirSync(corpus, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const [found, least] = ['found', 'least'].map((name) => join(work, name)) as [string, string]
  mkdirSync(found)
  mkdirSync(least)
  try {
    const limits = [`-max_total_time=${seconds}`, '-timeout=5', '-max_len=2048']
    // An input that breaks a promise goes to the corpus, so that the test of the corpus fails too.
    const options = [...limits, '-print_final_stats=1', `-artifact_prefix=${corpus}/`]
    if (!run(target, [found, corpus], { options, stdio: 'inherit' })) return false
    // The fewest of all inputs that cover as much.
    const merge = ['-merge=1', '-set_cover_merge=1']
    if (!run(target, [least, corpus, found], { options: merge, stdio: 'ignore' })) {
      throw new Error(`the inputs of ${target} could not be merged`)
    }
    for (const name of readdirSync(corpus).filter(isNamedByFuzzer)) rmSync(join(corpus, name))
    cpSync(least, corpus, { recursive: true })
    return true
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Inputs with another name stay whatever they cover: somebody has written them, or they have broken a promise once. */
function isNamedByFuzzer(name: string): boolean {
  return /^[0-9a-f]{40}$/.test(name)
}

/** Why Jazzer.js cannot be loaded; `null` if it can. */
function problem(): string | null {
  const { status, stderr } = spawnSync(process.execPath, ['-e', "require('@jazzer.js/fuzzer')"], {
    cwd: folder,
    encoding: 'utf8',
  })
  return status === 0 ? null : (/^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr)
}

const why = problem()
if (why !== null) {
  console.error(`Jazzer.js cannot be loaded; on Linux it needs glibc 2.38. ${why}`)
  process.exit(1)
}
await bundle()
for (const target of targets) {
  console.log(`# ${target}`)
  if (!fuzz(target)) {
    console.error(`# ${target}: see the last file in ${corpusOf(target)}`)
    process.exitCode = 1
  }
}
