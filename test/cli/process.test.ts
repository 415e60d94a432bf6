import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

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
