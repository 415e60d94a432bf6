/** What is published can be checked: the tarball is reproducible, and its dependencies are listed. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))
const workspace = mkdtempSync(join(tmpdir(), 'fastify-google-id-token-tarball-'))
t.teardown(() => {
  rmSync(workspace, { recursive: true, force: true })
})

/** Runs a command without tap's environment, and gives what it has printed. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { PATH, HOME } = process.env
  const { stdout } = await promisify(execFile)(command, args, { cwd, env: { PATH, HOME } })
  return stdout
}

const NOT_OF_A_CLONE = /^(?:node_modules|dist|\.git|\.tap|\.bench)(?:\/|$)|\/node_modules(?:\/|$)/

/** The SHA-512 of the tarball that a clean copy of the sources makes. */
async function packedIn(name: string): Promise<string> {
  const copy = join(workspace, name)
  mkdirSync(copy)
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !NOT_OF_A_CLONE.test(relative(root, path)),
  })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction')
  // Not by `prepare`, which also makes tap anew: in the packages that run this test.
  await run(copy, 'npm', 'run', 'build')
  const packed = await run(copy, 'npm', 'pack', '--json', '--ignore-scripts')
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  return createHash('sha512')
    .update(readFileSync(join(copy, filename)))
    .digest('hex')
}

t.test('two clean builds give the same tarball', async (t) => {
  // Names of other lengths, so that a path in the build would show.
  t.equal(await packedIn('one'), await packedIn('the-other-copy'))
})

interface Bom {
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
  readonly components: readonly { readonly name: string; readonly version: string }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

t.test('the bill of materials lists what users install, and nothing else', async (t) => {
  const { name, version, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as { name: string; version: string; dependencies: Record<string, string> }
  const bom = JSON.parse(await run(root, 'npm', 'run', '--silent', 'sbom')) as Bom
  t.match(bom.metadata.component, { name, version })
  const direct = bom.dependencies.find(({ ref }) => ref === `${name}@${version}`)?.dependsOn ?? []
  t.strictSame(
    direct.map((ref) => ref.slice(0, ref.lastIndexOf('@'))).sort(),
    Object.keys(dependencies).sort(),
  )
  // Beside the dependencies themselves, only what asn1js needs.
  t.strictSame(
    bom.components.map((component) => component.name).sort(),
    ['@peculiar/utils', ...Object.keys(dependencies)].sort(),
  )
})
