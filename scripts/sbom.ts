/**
 * Prints the software bill of materials of what a user installs, as CycloneDX: `npm run sbom`.
 *
 * npm makes it, from the versions of `package-lock.json`. It cannot do so in this folder: the workspaces
 * have no versions, and depend on the package itself.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

interface Locked {
  readonly dev?: boolean
  readonly peer?: boolean
  readonly link?: boolean
}

const { name, version, license, dependencies } = read('package.json') as Manifest
const lock = read('package-lock.json') as { packages: Record<string, Locked> }
const manifest = { name, version, license, dependencies }
const locked = Object.entries(lock.packages).filter(
  ([path, { dev, peer, link }]) =>
    path.startsWith('node_modules/') && dev !== true && peer !== true && link !== true,
)

const workspace = mkdtempSync(join(tmpdir(), `${name}-sbom-`))
// npm takes the name of the package from its folder.
const folder = join(workspace, name)
mkdirSync(folder)
try {
  write('package.json', manifest)
  write('package-lock.json', { ...lock, packages: { '': manifest, ...Object.fromEntries(locked) } })
  const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--package-lock-only']
  process.stdout.write(execFileSync('npm', ['sbom', ...options], { cwd: folder }))
} finally {
  rmSync(workspace, { recursive: true })
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
}

function write(file: string, value: unknown): void {
  writeFileSync(join(folder, file), JSON.stringify(value))
}
