import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { textOf } from '../pages/blocks.ts'
import { issuer } from '../helpers/issuer.ts'
import { runProcess } from '../helpers/run-process.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...process.execArgv, CLI, ...args], { timeout: 20_000 })
}

t.test('the process takes arguments and standard input, and exits with the code', async (t) => {
  const child = start('allow', '--json')
  child.stdin.end('{"msg":"nothing about tokens"}\n')
  const [stdout, ended] = await Promise.all([text(child.stdout), once(child, 'close')])
  t.same(ended, [1, null])
  t.match(JSON.parse(stdout), { routes: [], auditLines: 0 })
})

t.test('it ends by SIGTERM, and with 0', async (t) => {
  const child = start('emulator', '--env')
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  t.same(await once(child, 'close'), [0, null])
})

t.test('it ends quietly where nobody reads any more', async (t) => {
  const child = start('allow', '--help')
  child.stdout.destroy()
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  t.equal(stderr, '')
})

t.test('a package that is missing is named in one line, with how to get it', async (t) => {
  for (const [args, needed] of [
    [['emulator'], 'fastify'],
    [['token', '--audience', 'a'], 'google-auth-library'],
  ] as const) {
    // Node 26 warns of the function that hides the packages.
    const { exitCode, stdout, stderr } = await runProcess('without-packages', args, 20_000, [
      '--no-deprecation',
    ])
    t.match({ exitCode, stdout }, { exitCode: 1, stdout: '' })
    const [first] = stderr.split('\n')
    t.match(first, needed)
    t.match(
      first,
      `npm install --save-dev fastify-google-id-token ${needed}. Without a project: npx -p`,
    )
    t.match(first, `-p ${needed} fastify-google-id-token ${args[0]}`)
    t.notMatch(stderr, / at .*:\d+/)
  }
})

t.test(
  'warnings of Node are a line each, and that of the metadata server is left out',
  async (t) => {
    const emit = ['MetadataLookupWarning', 'OtherWarning']
      .map((name) => `process.emitWarning('${name} said', '${name}');`)
      .join('')
    const program = `import(${JSON.stringify(CLI)}).then(() => { ${emit} })`
    const child = spawn(process.execPath, [
      ...process.execArgv,
      '-e',
      program,
      '--',
      'cli.js',
      '--version',
    ])
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
    t.equal(stderr, 'OtherWarning: OtherWarning said\n')
  },
)

t.test(
  'the example of --write-env: a service has the variables, and nothing is left',
  async (t) => {
    const folder = t.testdir()
    const { emulator } = await import('../../src/cli/emulator/emulator.ts')
    const example = emulator.text.examples.find((one) => one.includes('--write-env')) ?? ''
    const command = [process.execPath, ...process.execArgv, CLI]
      .map((word) => `'${word}'`)
      .join(' ')
    const script = example
      .replace('./node_modules/.bin/fastify-google-id-token', command)
      .replace('python service.py', 'echo "host $GCE_METADATA_HOST"')
      .replaceAll(/(?:\.\/)?google\.env/g, `${folder}/google.env`)
    t.notMatch(script, /python|node_modules\/\.bin/)
    const child = spawn('sh', ['-c', `${script}; wait $!; echo "ended with $?"`])
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')])
    t.match(stdout, /^host 127\.0\.0\.1:\d+$/m)
    t.match(stdout, /\nended with 0\n$/)
    t.same(readdirSync(folder), [])
  },
)

t.test('the line of the page writes the lists, of an app that logs', async (t) => {
  const source = (name: string): string => JSON.stringify(import.meta.resolve(name))
  const folder = t.testdir({
    'app.js': `
      import Fastify from ${source('fastify')}
      import googleIdToken from ${source('../../src/index.ts')}
      export const app = Fastify({ logger: true })
      app.register(googleIdToken, {
        audience: 'https://orders.example.com',
        jwks: ${JSON.stringify(issuer.jwks)},
        allowedCallers: ['web@shop-prod.iam.gserviceaccount.com'],
        reportOnly: true,
      })
      app.get('/orders', () => '')
    `,
    'package.json': '{"type":"module"}',
  })
  const [, program = ''] = /^node -e "(.*)"$/m.exec(textOf('docs/command-line.md')) ?? []
  const child = spawn(process.execPath, [
    ...process.execArgv,
    '-e',
    program
      .replace('./app.js', pathToFileURL(join(folder, 'app.js')).href)
      .replace('callers.json', join(folder, 'callers.json')),
  ])
  const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')])
  t.match(stdout, 'reportOnly is on')
  t.match(JSON.parse(readFileSync(join(folder, 'callers.json'), 'utf8')), [
    { method: 'GET', url: '/orders', allowedCallers: ['web@shop-prod.iam.gserviceaccount.com'] },
  ])
})
