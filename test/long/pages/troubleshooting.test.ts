/** The program that prints what a caller would send, and the line that explains it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { runVerb } from '../../helpers/command-line.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { login, search } from '../../helpers/shop.ts'
import { blocksIn, textOf, wholeProgram } from '../../pages/blocks.ts'
import { withSource } from './programs.ts'

const blocks = blocksIn(textOf('docs/troubleshooting.md'))
const lines = blocks.flatMap(({ language, code }) =>
  language === 'sh' ? code.trim().split('\n') : [],
)
/** What the page pipes into explain, and the arguments that it gives to explain. */
const piped = lines.flatMap((line) => {
  const [from = '', args] = line.split(' | npx fastify-google-id-token explain ')
  return args === undefined ? [] : [{ from, args: ['explain', ...args.split(' ')] }]
})

for (const { account, answer } of [
  { account: login, answer: { code: 0, text: /Accepted/ } },
  { account: search, answer: { code: 1, text: /ID_TOKEN_CALLER_NOT_ALLOWED/ } },
]) {
  t.test(`the headers of ${account} are explained`, async (t) => {
    const google = await startEmulator(t, { serviceAccount: account })
    const program = withSource(wholeProgram('print-headers.ts', blocks))
    const directory = t.testdir({
      'print-headers.ts': program,
      'package.json': '{ "type": "module" }',
    })
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), join(directory, 'print-headers.ts')],
      // No coverage: another loader's positions differ.
      { env: { PATH: process.env.PATH, ...google.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' } },
    )
    const headers = await text(child.stdout)
    t.match(headers, /^x-serverless-authorization: Bearer .*\nauthorization: Bearer .*\n$/)
    const { args = [] } = piped.find(({ from }) => from === 'node print-headers.ts') ?? {}
    const ran = await runVerb([...args, '--jwks-uri', google.jwksUri], { stdin: headers })
    t.equal(ran.code, answer.code, ran.stderr)
    t.match(ran.stdout, answer.text)
  })
}

t.test('each line of the page explains with the same arguments', (t) => {
  t.equal(piped.length, 3)
  t.equal(new Set(piped.map(({ args }) => args.join(' '))).size, 1)
  t.end()
})

t.test('the verb token takes the options of the page, and explain takes its token', async (t) => {
  const google = await startEmulator(t)
  const npx = 'npx fastify-google-id-token '
  const { from = '', args = [] } = piped.find((line) => line.from.startsWith(npx)) ?? {}
  // The emulator gives the token of an account by --email, and real credentials by impersonation.
  const asked = from.replace(npx, '').replace('--service-account', '--email').split(' ')
  const { stdout, stderr } = await runVerb([...asked, '--emulator', google.url])
  const ran = await runVerb([...args, '--jwks-uri', google.jwksUri], { stdin: stdout })
  t.equal(ran.code, 0, `${stderr}${ran.stderr}`)
})
