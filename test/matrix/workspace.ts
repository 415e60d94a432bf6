/** A copy of the checkout outside of it, in which versions of Node and of Fastify take turns. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** How a command ended. */
export interface Ended {
  readonly exitCode: number | null
  /** Both streams, as they came. */
  readonly output: string
}

/** A version that was installed, and where. */
export interface Installed {
  readonly version: string
  readonly directory: string
}

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a command to its end; what it prints goes into a file too, while it runs. */
export async function run(
  cwd: string,
  log: string,
  [command = '', ...args]: readonly string[],
  nodeDirectory = dirname(process.execPath),
): Promise<Ended> {
  mkdirSync(dirname(log), { recursive: true })
  const file = createWriteStream(log, { flags: 'a' })
  const child = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], {
    cwd,
    env: environment(nodeDirectory),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.pipe(file)
  const [output, [exitCode]] = await Promise.all([
    text(child.stdout),
    once(child, 'close') as Promise<[number | null]>,
    finished(file),
  ])
  return { exitCode, output }
}

/** This process's, without what npm says of the project that it runs a script of. */
function environment(nodeDirectory: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:package|lifecycle|command|config_local_prefix)|^INIT_CWD$/.test(name),
  )
  const path = [nodeDirectory, process.env.PATH].join(delimiter)
  return { ...Object.fromEntries(others), PATH: path }
}

/** Runs a command that has to succeed: without it there is no cell to run. */
async function prepare(cwd: string, log: string, command: readonly string[]): Promise<string> {
  const { exitCode, output } = await run(cwd, log, command)
  if (exitCode !== 0) throw new Error(`${command.join(' ')} has failed:\n${output}`)
  return output
}

/** The copy, and what is installed beside it. */
export class Workspace {
  readonly directory: string
  readonly copy: string

  constructor(directory: string) {
    this.directory = directory
    this.copy = join(directory, 'checkout')
  }

  log(name: string): string {
    return join(this.directory, 'logs', `${name}.log`)
  }

  /** Copies what git tracks, and what it would add, and installs as a fresh clone does. */
  async fill(): Promise<void> {
    const list = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const files = (await prepare(checkout, this.log('git'), list)).split('\0')
    for (const file of files.filter((one) => one !== '' && existsSync(join(checkout, one)))) {
      cpSync(join(checkout, file), join(this.copy, file))
    }
    await prepare(this.copy, this.log('npm-ci'), ['npm', 'ci', '--no-audit', '--no-fund'])
  }

  /** The newest version of a range, with its own dependencies, in a folder of its own. */
  async install(name: string, ...packages: readonly string[]): Promise<string> {
    const directory = join(this.directory, name.replaceAll(/[^\w.-]/g, '_'))
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), '{ "private": true }')
    const install = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages]
    await prepare(directory, this.log(`install-${name}`), install)
    return directory
  }

  /**
   * Node from the package that npm's `node` installs, which needs a script for it; the package of
   * the platform needs none.
   */
  async installNode(range: string): Promise<Installed> {
    const { platform, arch } = process
    const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
    const name = `${prefix}-${platform}-${arch}`
    const folder = join(
      await this.install(`node-${range}`, `${name}@${range}`),
      'node_modules',
      name,
    )
    return { version: versionOf(folder), directory: join(folder, 'bin') }
  }

  async installFastify(range: string): Promise<Installed> {
    const installed = await this.install(`fastify-${range}`, `fastify@${range}`)
    const directory = join(installed, 'node_modules/fastify')
    return { version: versionOf(directory), directory }
  }

  /** From now on `fastify` is this one, for the plugin, for its types and for its tests. */
  useFastify({ directory }: Installed): void {
    const place = join(this.copy, 'node_modules/fastify')
    rmSync(place, { recursive: true, force: true })
    // Node and TypeScript follow a link before they look up what its target imports.
    symlinkSync(directory, place, 'junction')
  }
}

function versionOf(directory: string): string {
  const manifest = readFileSync(join(directory, 'package.json'), 'utf8')
  // Some of the packages of Node say `v20.19.0`.
  return (JSON.parse(manifest) as { version: string }).version.replace(/^v/, '')
}
