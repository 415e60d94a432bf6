import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import ts from 'typescript'
import type { TestIssuer } from '../../../src/testing.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What the compiler says of programs, each in a file of its own, under the project's tsconfig. */
export function typeErrors(programs: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (name) =>
    ts.sys.readFile(name),
  ) as { config: unknown }
  // NestJS has the decorators that TypeScript had before those of JavaScript.
  const { options } = ts.parseJsonConfigFileContent(
    config,
    { ...ts.sys, readDirectory: () => [] },
    root,
    { experimentalDecorators: true },
  )
  const files = new Map([...programs].map(([name, text]) => [join(root, `block-${name}`), text]))
  const disk = ts.createCompilerHost(options)
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    getSourceFile: (name, version) => {
      const text = files.get(name)
      return text === undefined
        ? disk.getSourceFile(name, version)
        : ts.createSourceFile(name, text, version)
    },
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file?.text.slice(0, start).split('\n').length ?? 0
    return `${file?.fileName ?? ''}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

/** A program that serves. */
export interface Service {
  readonly url: string
  /** The first line that it prints, or has printed, with this in it. */
  readonly line: (part: string) => Promise<string>
  /** Sends SIGTERM; the exit code, and all the lines that it has printed. */
  readonly end: () => Promise<{ code: number | null; lines: readonly string[] }>
}

/** Runs a program that serves, on a port of its own. */
export async function startService(
  t: Test,
  name: string,
  program: string,
  issuer: TestIssuer,
): Promise<Service> {
  const child = run(t, name, program, issuer, [])
  const lines: string[] = []
  const output = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  output.on('line', (line) => lines.push(line))
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} does not serve`))),
  ])) as [AddressInfo]
  return {
    url: `http://127.0.0.1:${port}`,
    line: async (part) => {
      let found
      while ((found = lines.find((line) => line.includes(part))) === undefined) {
        await once(output, 'line')
      }
      return found
    },
    end: async () => {
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      const [code] = (await closed) as [number | null]
      return { code, lines }
    },
  }
}

/** Runs programs that serve, all in one process; the URL of each, in this order. */
export async function startServices(
  t: Test,
  programs: ReadonlyMap<string, string>,
  issuer: TestIssuer,
): Promise<string[]> {
  const imports = [...programs.keys()].map((name) => `await serving(() => import('./${name}'))`)
  const main = `
    import { once } from 'node:events'
    async function serving(start) {
      await Promise.all([once(process, 'serving'), start()])
    }
    ${imports.join('\n')}`
  const child = run(t, 'main.mjs', main, issuer, [], programs)
  const addresses: AddressInfo[] = []
  child.on('message', (address: AddressInfo) => addresses.push(address))
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('a program ended')))
  while (addresses.length < programs.size) await Promise.race([once(child, 'message'), failed])
  failed.catch(() => undefined)
  return addresses.map(({ port }) => `http://127.0.0.1:${port}`)
}

/** Runs a program to its end: its exit code and all that it has printed. */
export async function runToEnd(
  t: Test,
  name: string,
  program: string,
  issuer: TestIssuer,
  args: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = run(t, name, program, issuer, args)
  const [output, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, output }
}

/** The program with the package that is in src. */
export function withSource(program: string): string {
  return program.replaceAll(
    /'fastify-google-id-token(?:\/(\w+))?'/g,
    (_, entry = 'index') =>
      `'${new URL(`../../../src/${String(entry)}.ts`, import.meta.url).href}'`,
  )
}

/** The program as it stands; only the package is the one in src, and Google is the test issuer. */
function run(
  t: Test,
  name: string,
  program: string,
  issuer: TestIssuer,
  args: readonly string[],
  others: ReadonlyMap<string, string> = new Map(),
): ChildProcess {
  const directory = t.testdir({
    ...Object.fromEntries([...others].map(([file, text]) => [file, withSource(text)])),
    [name]: withSource(program),
    'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
    'google.mjs': googleInPlaceOf(issuer),
    'package.json': '{ "type": "module" }',
  })
  const child = fork(join(directory, name), args, {
    execArgv: ['--import', import.meta.resolve('tsx'), '--import', join(directory, 'google.mjs')],
    // Not the environment of this process: node:test in the child would report to tap.
    // And no coverage: another loader's positions do not fit those of the tests.
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      NODE_ENV: 'test',
      TSX_TSCONFIG_PATH: join(directory, 'tsconfig.json'),
      _TAPJS_PROCESSINFO_COVERAGE_: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill())
  return child
}

/** Answers as Google's key endpoint, and lets requests to loopback through; sends the address of a server. */
export function googleInPlaceOf({ jwks }: TestIssuer): string {
  return `
    import { Server } from 'node:net'
    const jwks = ${JSON.stringify(JSON.stringify(jwks))}
    const { fetch } = globalThis
    globalThis.fetch = async (url, options) => {
      if (new URL(url).hostname === '127.0.0.1') return fetch(url, options)
      if (String(url) === 'https://www.googleapis.com/oauth2/v3/certs') return new Response(jwks)
      throw new Error('no network in this test')
    }
    const { listen } = Server.prototype
    Server.prototype.listen = function (...args) {
      this.once('listening', () => {
        const address = this.address()
        if (typeof address === 'object') process.send(address)
        process.emit('serving')
      })
      return listen.apply(this, args)
    }
    process.channel.unref()`
}
