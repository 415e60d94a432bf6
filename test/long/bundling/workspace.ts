/** Folders outside of the project, in which the files of docs/bundling.md are used as the page says. */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { TestIssuer } from '../../../src/testing.ts'
import { googleInPlaceOf } from '../pages/programs.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const modules = join(root, 'node_modules')
/** Not this process's: tap's settings in it would reach the runners and the services. */
const { PATH, HOME } = process.env
const env = { PATH, HOME, _TAPJS_PROCESSINFO_COVERAGE_: '0' }

/** How a command ended. */
export interface Ended {
  readonly code: number
  /** Both streams. */
  readonly output: string
}

/** A folder for each bundler, beside packages that all of them find. */
export class Workspace {
  readonly #directory = mkdtempSync(join(tmpdir(), 'bundling-'))
  /** What runs here finds no packages. */
  readonly #elsewhere = mkdtempSync(join(tmpdir(), 'bundled-'))

  /** Builds a copy of the package: another test may build `dist` of the project at the same time. */
  async fill(packages: readonly string[]): Promise<void> {
    const copy = join(this.#directory, 'copy')
    for (const one of ['package.json', 'src', 'scripts', 'tsconfig.json', 'tsconfig.build.json']) {
      cpSync(join(root, one), join(copy, one), { recursive: true })
    }
    symlinkSync(modules, join(copy, 'node_modules'), 'junction')
    const { code, output } = await run(copy, ['node', '--import', 'tsx', 'scripts/build.ts'])
    if (code !== 0) throw new Error(output)
    const installed = join(this.#directory, 'node_modules/fastify-google-id-token')
    for (const one of ['package.json', 'dist']) {
      cpSync(join(copy, one), join(installed, one), { recursive: true })
    }
    for (const one of packages) this.install(one)
  }

  /** Takes a package from the project. */
  install(name: string): void {
    const link = join(this.#directory, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(modules, name), link, 'junction')
  }

  remove(name: string): void {
    rmSync(join(this.#directory, 'node_modules', name), { recursive: true })
  }

  /** A folder with these files. */
  folder(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(this.#directory, name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content)
    return folder
  }

  /** A copy of what a bundler has written, where no packages are found. */
  moveAway(name: string, output: string): string {
    const place = join(this.#elsewhere, name)
    cpSync(output, place, { recursive: true })
    return place
  }

  close(): void {
    for (const one of [this.#directory, this.#elsewhere]) {
      rmSync(one, { recursive: true, force: true })
    }
  }
}

/** Runs `npx` or `node` as a page has it, with the packages of this project. */
export async function run(
  cwd: string,
  [program = '', first = '', ...args]: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  // By itself: esbuild's is a script before it is installed, and a program of the system afterwards.
  const [file, command] =
    program === 'npx' ? [binOf(first), args] : [process.execPath, [first, ...args]]
  try {
    const { stdout, stderr } = await promisify(execFile)(file, command, {
      cwd,
      env: { ...env, ...more },
    })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}

/** The file behind a command: `npx` would look for it in the folder only. */
function binOf(name: string): string {
  const directory = join(modules, name === 'ncc' ? '@vercel/ncc' : name)
  const { bin } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>
  }
  return join(directory, typeof bin === 'string' ? bin : (bin[name] ?? ''))
}

/** A service that runs from a file; the URL, and what it has printed when it is ended. */
export async function serve(
  t: Test,
  file: string,
  issuer: TestIssuer,
): Promise<{ url: string; end: () => Promise<string> }> {
  const google = join(t.testdir({ 'google.mjs': googleInPlaceOf(issuer) }), 'google.mjs')
  const child = fork(file, [], {
    cwd: dirname(file),
    execArgv: ['--import', google],
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill())
  const printed = text(child.stdout as NodeJS.ReadableStream)
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${file} does not serve`))),
  ])) as [{ port: number }]
  const end = (): Promise<string> => {
    child.kill()
    return printed
  }
  return { url: `http://127.0.0.1:${port}`, end }
}
