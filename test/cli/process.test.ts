import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

t.test('the process takes arguments and standard input, and exits with the code', async (t) => {
  const child = spawn(process.execPath, [...process.execArgv, CLI, 'allow', '--json'], {
    timeout: 20_000,
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stdin.end('{"msg":"nothing about tokens"}\n')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { routes: [], auditLines: 0 })
})
