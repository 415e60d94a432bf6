import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { serviceClients } from '../../src/client-fastify.ts'
import googleIdToken from '../../src/index.ts'
import { blocksIn, firstProgram, onlyBlockOf, textOf as pageOf } from '../pages/blocks.ts'

interface Packed {
  readonly filename: string
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
// Outside of the project, where nothing of its node_modules is found by accident.
const workspace = mkdtempSync(join(tmpdir(), 'fastify-google-id-token-'))
t.teardown(() => {
  rmSync(workspace, { recursive: true, force: true })
})

/** Runs a command without tap's environment, and gives what it has printed. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { PATH, HOME } = process.env
  const { stdout } = await promisify(execFile)(command, args, {
    cwd,
    env: { PATH, HOME, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
  })
  return stdout
}

const tsc = (cwd: string): Promise<string> =>
  run(cwd, process.execPath, join(modules, 'typescript/bin/tsc'), '-p', '.')

const [packed] = JSON.parse(
  await run(root, 'npm', 'pack', '--json', '--pack-destination', workspace),
) as [Packed]
const tarball = join(workspace, packed.filename)
const unpacked = join(workspace, 'package')
await run(workspace, 'tar', '-xzf', tarball)
const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as {
  bin: Record<'fastify-google-id-token', string>
  exports: Record<string, string | Record<string, string>>
  sideEffects: readonly string[]
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional: boolean }>
}

/** An empty project with the package installed, its files, and packages of this project's. */
function consumer(
  name: string,
  { files, packages }: { files: Record<string, string>; packages: readonly string[] },
): string {
  const directory = join(workspace, name)
  const installed = join(directory, 'node_modules/fastify-google-id-token')
  // A copy: through a link, what the package imports would be looked up elsewhere.
  cpSync(unpacked, installed, { recursive: true })
  for (const one of packages) {
    const link = join(directory, 'node_modules', one)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(modules, one), link, 'junction')
  }
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text)
  return directory
}

const tsconfig = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023'],
    strict: true,
    // Our declarations, and Fastify's with what ours merge into them, are part of the check.
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    outDir: 'out',
  },
})

const paths = packed.files.map(({ path }) => path)
const modulesOfBuild = paths.filter((path) => path.endsWith('.js'))
/** The command is a process of its own, bundled by itself, and without source maps. */
const isCommand = (path: string): boolean => /^dist\/(?:chunks\/)?cli\b/.test(path)
const textOf = (path: string): string => readFileSync(join(unpacked, path), 'utf8')

t.test('what goes out is the build of src and what every package has', (t) => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const declarations = sources
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `dist/${file.replace(/\.ts$/, '.d.ts')}`)
  const entries = sources
    .filter((file) => /^[^/]+\.ts$/.test(file))
    .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`)
  const chunks = paths.filter((path) => /^dist\/chunks\/[\w-]+\.js$/.test(path))
  const code = [...entries, ...chunks].flatMap((path) =>
    isCommand(path) ? [path] : [path, `${path}.map`],
  )
  const others = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']
  // The figures behind the pages stay in the repository.
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:md|svg)$|^monitoring\/.+\./.test(file))
    .map((file) => `docs/${file}`)
  t.same(paths.toSorted(), [...declarations, ...code, ...docs, ...others].toSorted())
  t.ok(packed.unpackedSize < 2.25 * 1024 * 1024, `${packed.unpackedSize} bytes`)
  t.end()
})

t.test('the code is a few files, with one class IdTokenError for all entries', (t) => {
  const library = modulesOfBuild.filter((path) => !isCommand(path))
  t.ok(library.length <= 20, library.join())
  t.ok(modulesOfBuild.length <= 45, modulesOfBuild.join())
  t.equal(library.filter((path) => /\bIdTokenError = class\b/.test(textOf(path))).length, 1)
  t.end()
})

t.test('the command of the package runs', async (t) => {
  const directory = consumer('command', { files: {}, packages: ['jose', 'lru-cache'] })
  const file = join(
    directory,
    'node_modules/fastify-google-id-token',
    manifest.bin['fastify-google-id-token'],
  )
  t.match(await run(directory, process.execPath, file, '--help'), /^Usage: fastify-google-id-token/)
  t.match(readFileSync(file, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

t.test('source maps hold the text that they lead to', (t) => {
  for (const path of modulesOfBuild.filter((one) => !isCommand(one))) {
    t.match(textOf(path), `//# sourceMappingURL=${path.replace(/^.*\//, '')}.map`)
    const map = JSON.parse(textOf(`${path}.map`)) as { sources: string[]; sourcesContent: string[] }
    t.equal(map.sourcesContent.length, map.sources.length, path)
    t.ok(map.sourcesContent.every((text) => typeof text === 'string'))
  }
  t.end()
})

t.test('only the entries that "sideEffects" names do something on import', (t) => {
  const acting = modulesOfBuild.filter((path) => /^subscribe\(/m.test(textOf(path)))
  t.same(
    acting.map((path) => `./${path}`),
    manifest.sideEffects,
  )
  t.end()
})

t.test('every relative import of the build leads to a file of it', (t) => {
  const broken = packed.files
    .filter(({ path }) => /^dist\/.*\.(?:js|d\.ts)$/.test(path))
    .flatMap(({ path }) =>
      relativeImports(path)
        .filter((target) => !packed.files.some((one) => one.path === target))
        .map((target) => `${path}: ${target}`),
    )
  t.same(broken, [])
  t.end()
})

t.test('each entry has types and code, and the peers are optional', (t) => {
  for (const [entry, targets] of Object.entries(manifest.exports)) {
    const files = typeof targets === 'string' ? [targets] : [targets.types, targets.default]
    for (const file of files)
      t.ok(existsSync(join(unpacked, file ?? '?')), `${entry}: ${file ?? ''}`)
  }
  t.same(Object.keys(manifest.peerDependencies), Object.keys(manifest.peerDependenciesMeta))
  t.ok(Object.values(manifest.peerDependenciesMeta).every(({ optional }) => optional))
  t.end()
})

t.test('the plugins register in the versions of Fastify that package.json names', (t) => {
  for (const plugin of [googleIdToken, serviceClients]) {
    const meta: unknown = Reflect.get(plugin, Symbol.for('plugin-meta'))
    t.match(meta, { fastify: manifest.peerDependencies.fastify })
  }
  t.end()
})

t.test('publint and arethetypeswrong find nothing', async (t) => {
  await Promise.all([
    t.resolves(run(root, join(modules, '.bin/publint'), 'run', tarball, '--strict')),
    t.resolves(run(root, join(modules, '.bin/attw'), tarball, '--profile', 'esm-only')),
  ])
})

/** Copies of dependencies, so that they find no package of this project either. */
function copyDependencies(directory: string, names: readonly string[]): void {
  for (const one of names) {
    cpSync(join(modules, one), join(directory, 'node_modules', one), { recursive: true })
  }
}

t.test('entries load with nothing but the dependencies that they use', async (t) => {
  const directory = consumer('bare', {
    packages: [],
    files: {
      'start.mjs': `
        import { hasSubscribers } from 'node:diagnostics_channel'
        import { createRequire } from 'node:module'
        const name = 'fastify-google-id-token'
        const verifier = await import(name + '/verifier')
        const express = await import(name + '/express')
        const before = hasSubscribers('fastify.initialization')
        const main = await import(name)
        const require = createRequire(import.meta.url)
        const classes = [verifier, express, main, require(name), require(name + '/verifier'), require(name + '/express')]
        console.log(before, hasSubscribers('fastify.initialization'), new Set(classes.map((one) => one.IdTokenError)).size)
        console.log([main.default, main.createVerifier, main.IdTokenError, express.googleIdToken].map((one) => typeof one).join())`,
    },
  })
  // No fastify, no express, no google-auth-library, and none of what serves client and test kit.
  const used = Object.keys(manifest.dependencies).filter((one) => !['jose', 'asn1js'].includes(one))
  copyDependencies(directory, used)
  t.equal(
    await run(directory, process.execPath, 'start.mjs'),
    'false true 1\nfunction,function,function,function\n',
  )
})

t.test('the client loads without Fastify, with two dependencies', async (t) => {
  const directory = consumer('client', {
    packages: [],
    files: {
      'start.mjs': `
        import { createServiceClient } from 'fastify-google-id-token/client'
        console.log(typeof createServiceClient)`,
    },
  })
  copyDependencies(directory, ['jose', 'lru-cache'])
  t.equal(await run(directory, process.execPath, 'start.mjs'), 'function\n')
})

t.test('the js block of the documentation runs: require yields the plugin', async (t) => {
  const directory = consumer('commonjs', {
    packages: ['fastify', ...Object.keys(manifest.dependencies)],
    files: {
      'readme.cjs': `${onlyBlockOf('js')}\nmodule.exports = app`,
      'start.cjs': `
        const plugin = require('fastify-google-id-token')
        const { default: same, createVerifier, IdTokenError } = plugin
        console.log(plugin === same, typeof createVerifier, typeof IdTokenError)
        require('./readme.cjs').inject('/profiles/42').then((response) => {
          console.log(response.statusCode, response.json().code)
        })`,
    },
  })
  t.equal(
    await run(directory, process.execPath, 'start.cjs'),
    'true function function\n401 ID_TOKEN_MISSING\n',
  )
})

/** What a consumer does in either module system. */
const service = `
  const login = 'login@shop-prod.iam.gserviceaccount.com'
  const audience = 'https://user-profiles-abc123-uc.a.run.app'
  async function start(app: FastifyInstance): Promise<void> {
    const issuer = await createTestIssuer()
    const options: VerifierOptions = { audience, allowedCallers: [login], jwks: issuer.jwks }
    await app.register(googleIdToken, options)
    app.get('/', (request) => {
      const caller: Caller = request.caller
      return caller.email
    })
    app.get('/hello', { config: { idToken: { optional: true } } }, (request) => {
      // @ts-expect-error it may be null
      const caller: Caller = request.caller
      return caller ?? 'nobody'
    })
    const caller = await createVerifier(options).verify(await issuer.idToken({ email: login, audience }))
    const authorization = \`Bearer \${await issuer.idToken({ email: login, audience })}\`
    const answers = [await app.inject({ url: '/', headers: { authorization } }), await app.inject('/hello')]
    const error = new IdTokenError('ID_TOKEN_MISSING')
    console.log(caller.email, ...answers.map(({ body }) => body), error.statusCode)
  }
`

t.test('consumers of the plugin compile and run, as ES module and as CommonJS', async (t) => {
  const directory = consumer('typescript', {
    packages: ['fastify', '@types/node', ...Object.keys(manifest.dependencies)],
    files: {
      'tsconfig.json': tsconfig,
      'esm.mts': `
        import Fastify, { type FastifyInstance } from 'fastify'
        import googleIdToken, {
          createVerifier, IdTokenError, type Caller, type VerifierOptions,
        } from 'fastify-google-id-token'
        import { createTestIssuer } from 'fastify-google-id-token/testing'
        ${service}
        await start(Fastify())`,
      'cjs.cts': `
        import { fastify, type FastifyInstance } from 'fastify'
        import googleIdToken from 'fastify-google-id-token'
        import { createVerifier, IdTokenError } from 'fastify-google-id-token'
        import type { Caller, VerifierOptions } from 'fastify-google-id-token'
        import { createTestIssuer } from 'fastify-google-id-token/testing'
        import required = require('fastify-google-id-token')
        ${service}
        if (required !== googleIdToken) throw new Error('two plugins')
        void start(fastify())`,
    },
  })
  t.equal(await tsc(directory).catch(outputOf), '')
  const printed =
    'login@shop-prod.iam.gserviceaccount.com login@shop-prod.iam.gserviceaccount.com nobody 401\n'
  t.equal(await run(directory, process.execPath, 'out/esm.mjs'), printed)
  t.equal(await run(directory, process.execPath, 'out/cjs.cjs'), printed)
})

t.test('the tsconfig.json of the documentation compiles a service', async (t) => {
  const commonjs = firstProgram('service.cts', blocksIn(pageOf('docs/bundling.md')))
  for (const [type, program] of [
    ['module', firstProgram('service.ts')],
    ['commonjs', commonjs],
  ] as const) {
    const directory = consumer(`tsconfig-${type}`, {
      packages: ['fastify', '@types/node', ...Object.keys(manifest.dependencies)],
      files: {
        'package.json': JSON.stringify({ private: true, type }),
        'tsconfig.json': firstProgram('tsconfig.json'),
        'service.ts': program,
      },
    })
    t.equal(await tsc(directory).catch(outputOf), '', type)
    t.ok(existsSync(join(directory, 'out/service.js')))
  }
})

t.test(
  'consumers of the middleware, the verifier and the client compile without Fastify',
  async (t) => {
    const app = `
    const app = express()
    const auth = googleIdToken({ audience: 'https://user-profiles-abc123-uc.a.run.app' })
    app.get('/', auth.allow(['login@shop-prod.iam.gserviceaccount.com']), (req, res) => {
      const caller: Caller | null | undefined = req.caller
      res.json({ email: caller?.email })
    })
    app.get('/hello', auth.optional(), (req, res) => {
      // @ts-expect-error it may be null
      res.send(req.caller.email)
    })
  `
    const directory = consumer('express', {
      packages: ['express', '@types/express', '@types/node'],
      files: {
        'tsconfig.json': tsconfig,
        'esm.mts': `
        import express from 'express'
        export { createVerifier, type Verifier } from 'fastify-google-id-token/verifier'
        export { createServiceClient, type ServiceClient } from 'fastify-google-id-token/client'
        import { googleIdToken, type Caller } from 'fastify-google-id-token/express'
        ${app}`,
        'cjs.cts': `
        import express = require('express')
        import { googleIdToken, type Caller } from 'fastify-google-id-token/express'
        ${app}`,
      },
    })
    t.notOk(existsSync(join(directory, 'node_modules/fastify')))
    t.equal(await tsc(directory).catch(outputOf), '')
  },
)

/** What the compiler has printed before it failed. */
function outputOf(error: unknown): string {
  return (error as { stdout: string }).stdout
}

/** As paths within the package; a declaration's import of x.ts means x.d.ts. */
function relativeImports(path: string): string[] {
  const text = readFileSync(join(unpacked, path), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?["'](\.[^"']+)["']/g)].map(
    ([, specifier = '']) => {
      const target = join(dirname(path), specifier)
      return path.endsWith('.d.ts') ? target.replace(/\.ts$/, '.d.ts') : target
    },
  )
}
