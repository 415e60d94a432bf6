/** The configurations of docs/bundling.md make services that run without node_modules. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { startGoogleEmulator } from '../../src/testing.ts'
import { issuer } from '../helpers/issuer.ts'
import { audience, login, search } from '../helpers/shop.ts'
import { blocksIn, firstProgram, textOf } from '../pages/blocks.ts'
import { run, serve, Workspace } from './bundling/workspace.ts'

const page = textOf('docs/bundling.md')
const blocks = blocksIn(page)
const program = (file: string): string => firstProgram(file, blocks)
const SERVICE = program('service.js')
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .map(({ code }) => code.trim().split(' '))
/** The command of the page that has these words. */
const command = (...words: readonly string[]): string[] =>
  commands.find((one) => words.every((word) => one.includes(word))) ?? []

const workspace = new Workspace()
t.teardown(() => {
  workspace.close()
})
await workspace.fill([
  ...['fastify', 'fastify-plugin', 'http-cache-semantics', 'lru-cache', 'jose', 'asn1js'],
  ...['google-auth-library', '@types/node', 'esbuild', 'tap', 'vitest'],
  ...['@rollup/plugin-commonjs', '@rollup/plugin-json', '@rollup/plugin-node-resolve'],
])

/** The bundle answers as the service does, where it finds no packages. */
async function check(t: Test, name: string, folder: string, file: string): Promise<string> {
  const place = workspace.moveAway(name, join(folder, 'out'))
  const { url, end } = await serve(t, join(place, file), issuer)
  const call = async (email: string): Promise<unknown> => {
    const authorization = `Bearer ${await issuer.idToken({ email, audience })}`
    const response = await fetch(`${url}/profiles/7`, { headers: { authorization } })
    return [response.status, await response.json()]
  }
  t.same(await call(login), [200, { servedFor: login }])
  // The handler of the service: the error is an instance of the class that the service imports.
  const refused = { code: 'ID_TOKEN_CALLER_NOT_ALLOWED', title: 'The caller is not allowed' }
  t.same(await call(search), [403, refused])
  const printed = await end()
  t.notMatch(printed, 'no keys to verify ID tokens with')
  return printed
}

const filesOf = (folder: string): string[] => readdirSync(join(folder, 'out'))

t.test('the page names the versions that are tested', (t) => {
  const versions = [...page.matchAll(/^\| \[(\w+)\]\(#[^|]+\| (\d[\d.]+) /gm)].map(
    ([, name = '', version]) => [name.toLowerCase(), version],
  )
  const runners = [...page.matchAll(/^(\w+) \(tested version: ([\d.]+)\):$/gm)].map(
    ([, name = '', version]) => [name.toLowerCase(), version],
  )
  t.equal(versions.length, 6)
  t.equal(runners.length, 2)
  for (const [name = '', version] of [...versions, ...runners]) {
    const manifest = textOf(`node_modules/${name === 'ncc' ? '@vercel/ncc' : name}/package.json`)
    t.equal((JSON.parse(manifest) as { version: string }).version, version, name)
  }
  t.end()
})

t.test('esbuild', async (t) => {
  const banner = program('esbuild.mjs')
  const folder = workspace.folder('esbuild', { 'service.js': SERVICE, 'esbuild.mjs': banner })
  const bundle = command('esbuild', 'service.js')
  t.match(await run(folder, bundle), { code: 0 })
  t.same(filesOf(folder), ['service.cjs'])
  await check(t, 'esbuild', folder, 'service.cjs')

  t.match(await run(folder, ['node', 'esbuild.mjs']), { code: 0 })
  await check(t, 'esbuild-esm', folder, 'service.mjs')

  writeFileSync(join(folder, 'esbuild.mjs'), banner.replace(/ {2}banner: \{.*?\n {2}\},\n/s, ''))
  t.match(await run(folder, ['node', 'esbuild.mjs']), { code: 0 })
  const place = workspace.moveAway('no-banner', join(folder, 'out'))
  t.match(await run(place, ['node', 'service.mjs']), {
    code: 1,
    output: 'Dynamic require of "node:events" is not supported',
  })

  writeFileSync(join(folder, 'service.js'), SERVICE.replace(/^start\(\)$/m, 'await start()'))
  t.match(await run(folder, bundle), { code: 1, output: 'Top-level await' })
})

t.test('esbuild: the entry without a framework needs no banner', async (t) => {
  const verify = `
    import { createVerifier } from 'fastify-google-id-token/verifier'
    const { verifySync } = createVerifier({ audience: '${audience}', jwks: ${JSON.stringify(issuer.jwks)}, allowedCallers: ['${login}'] })
    console.log(verifySync(process.env.TOKEN).email)`
  const folder = workspace.folder('verifier', { 'verify.js': verify })
  const out = '--outfile=out/verify.mjs'
  const bundle = ['npx', 'esbuild', 'verify.js', '--bundle', '--platform=node', '--format=esm', out]
  t.match(await run(folder, bundle), { code: 0 })
  const place = workspace.moveAway('verifier', join(folder, 'out'))
  const TOKEN = await issuer.idToken({ email: login, audience })
  t.same(await run(place, ['node', 'verify.mjs'], { TOKEN }), { code: 0, output: `${login}\n` })
})

for (const [config, file] of [
  ['rolldown.config.js', 'service.mjs'],
  ['rollup.config.js', 'service.mjs'],
  ['tsup.config.js', 'service.cjs'],
] as const) {
  const [bundler = ''] = config.split('.')
  t.test(bundler, async (t) => {
    const folder = workspace.folder(bundler, { 'service.js': SERVICE, [config]: program(config) })
    t.match(await run(folder, command(bundler)), { code: 0 })
    t.same(filesOf(folder), [file])
    await check(t, bundler, folder, file)
  })
}

t.test('Rollup puts modules that are loaded later behind top-level await', async (t) => {
  const folder = workspace.folder('rollup-await', {
    'service.js': SERVICE.replace(/^start\(\)$/m, 'await start()'),
    'rollup.config.js': program('rollup.config.js'),
  })
  t.match(await run(folder, command('rollup')), { code: 0 })
  const place = workspace.moveAway('rollup-await', join(folder, 'out'))
  const { url, end } = await serve(t, join(place, 'service.mjs'), issuer)
  const authorization = `Bearer ${await issuer.idToken({ email: login, audience })}`
  const { status } = await fetch(`${url}/profiles/7`, { headers: { authorization } })
  t.equal(status, 503)
  t.match(await end(), 'no keys to verify ID tokens with')
})

t.test('webpack', async (t) => {
  const config = program('webpack.config.js')
  const folder = workspace.folder('webpack', { 'service.js': SERVICE, 'webpack.config.js': config })
  const webpack = pathToFileURL(
    new URL('../../node_modules/webpack/lib/index.js', import.meta.url).pathname,
  )
  writeFileSync(
    join(folder, 'run.js'),
    `import webpack from '${webpack.href}'
     import config from './webpack.config.js'
     webpack(config, (error, stats) => {
       console.log(error ?? stats.toString({ all: false, errors: true, warnings: true }))
       process.exitCode = error !== null || stats.hasErrors() || stats.hasWarnings() ? 1 : 0
     })`,
  )
  const { code, output } = await run(folder, ['node', 'run.js'])
  t.equal(code, 0, output)
  t.same(
    filesOf(folder).filter((file) => /js$/.test(file)),
    ['service.mjs'],
  )
  await check(t, 'webpack', folder, 'service.mjs')
})

t.test('ncc', async (t) => {
  const folder = workspace.folder('ncc', { 'service.js': SERVICE })
  t.match(await run(folder, command('ncc')), { code: 0 })
  t.ok(filesOf(folder).length > 1)
  await check(t, 'ncc', folder, 'index.js')
})

t.test('the client, with google-auth-library, without, and left out', async (t) => {
  const google = await startGoogleEmulator({ serviceAccount: login })
  t.teardown(() => google.close())
  const folder = workspace.folder('client', { 'call.js': program('call.js') })
  const bundle = command('esbuild', 'call.js')
  const outcome = async (name: string, ...args: readonly string[]): Promise<string> => {
    const { code, output } = await run(folder, [...bundle, ...args])
    t.equal(code, 0, output)
    const place = workspace.moveAway(name, join(folder, 'out'))
    return (await run(place, ['node', 'call.cjs'], google.env)).output
  }
  t.equal(await outcome('with'), 'a token of 3 parts\n')
  const missing = 'SERVICE_CLIENT_LIBRARY_MISSING\n'
  t.match(page, '`--external:google-auth-library`')
  t.equal(await outcome('external', '--external:google-auth-library'), missing)
  workspace.remove('google-auth-library')
  t.equal(await outcome('without'), missing)
})

t.test('the test runners', async (t) => {
  const files = ['vitest.test.js', 'tap.test.js', 'node.test.js']
  const folder = workspace.folder(
    'runners',
    Object.fromEntries(files.map((file) => [file, program(file)])),
  )
  const runners = {
    'vitest.test.js': ['npx', 'vitest', 'run', 'vitest.test.js'],
    'tap.test.js': ['npx', 'tap', '--disable-coverage', 'tap.test.js'],
    'node.test.js': ['node', '--test', 'node.test.js'],
  }
  for (const [file, words] of Object.entries(runners)) {
    const { code, output } = await run(folder, words)
    t.equal(code, 0, output)
    writeFileSync(join(folder, file), program(file).replaceAll('401', '402'))
    t.not((await run(folder, words)).code, 0, `${file} notices a wrong status`)
  }
})

t.test('TypeScript in CommonJS', async (t) => {
  const folder = workspace.folder('commonjs', {
    'service.cts': program('service.cts'),
    'tsconfig.json': program('tsconfig.json'),
  })
  workspace.install('typescript')
  const compiler = join(folder, '../node_modules/typescript/bin/tsc')
  const { code, output } = await run(folder, ['node', compiler, '-p', '.'])
  t.equal(code, 0, output)
  t.ok(existsSync(join(folder, 'out/service.cjs')))
  const { url } = await serve(t, join(folder, 'out/service.cjs'), issuer)
  t.equal((await fetch(`${url}/profiles/7`)).status, 401)
})

t.test('every block of the page is used', (t) => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  for (const { file, language } of blocks) {
    if (language !== 'sh') t.match(source, `'${file ?? 'a block without a name'}'`)
  }
  t.same(
    commands.map(([npx, name]) => `${npx ?? ''} ${name ?? ''}`),
    ['npx esbuild', 'npx rolldown', 'npx rollup', 'npx tsup', 'npx ncc', 'npx esbuild'],
  )
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
  t.end()
})
