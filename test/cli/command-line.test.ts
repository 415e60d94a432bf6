import { Readable } from 'node:stream'
import t from 'tap'
import { runVerb } from '../helpers/command-line.ts'
import { textOf } from '../pages/blocks.ts'
import { VERBS } from '../../src/cli/verbs.ts'

t.test('--help is everywhere, with examples and exit codes, and no line is too long', async (t) => {
  for (const args of [['--help'], ['help'], ...[...VERBS.keys()].map((verb) => [verb, '--help'])]) {
    const { code, stdout, stderr } = await runVerb(args)
    t.match({ code, stderr }, { code: 0, stderr: '' })
    t.match(stdout, /^Usage: fastify-google-id-token/)
    t.match(stdout, '--json')
    t.match(stdout, /Examples?:\n {2}.*fastify-google-id-token/)
    t.match(stdout, /Exit codes:\n {2}0 [^]+\n {2}1 [^]+\n {2}2 {2}wrong usage/)
    for (const line of stdout.split('\n')) t.ok(line.length <= 90, line)
  }
  const { stdout } = await runVerb(['--help'])
  for (const verb of VERBS.keys()) t.match(stdout, new RegExp(`^ {2}${verb} .`, 'm'))
})

t.test('wrong usage exits with 2, says what is right and where the help is', async (t) => {
  for (const [args, said, help] of [
    [[], 'A verb is needed: allow', '--help'],
    [['alow'], 'There is no verb alow. A verb is needed: allow,', '--help'],
    [['alow'], 'Did you mean allow?', '--help'],
    [['--verbose'], 'There is no verb --verbose. A verb is needed', '--help'],
    [['__proto__'], 'The first argument is no verb. A verb is needed: allow', '--help'],
    [['eyJhbGciOi.eyJzdWIi.c2ln'], 'The first argument is no verb', '--help'],
    [['allow', '--agianst', 'x'], "Unknown option '--agianst'", 'allow --help'],
    [['allow', '--against'], 'argument missing', 'allow --help'],
    [['allow', 'a', 'eyJ.b.c'], '2 arguments without an option are given', 'allow --help'],
  ] as const) {
    const ran = await runVerb(args)
    t.match(ran, { code: 2, stdout: '' })
    t.match(ran.stderr, said)
    t.notMatch(ran.stderr, 'eyJ')
    t.ok(ran.stderr.endsWith(`See: fastify-google-id-token ${help}\n`), ran.stderr)
  }
})

t.test('--version is that of the package', async (t) => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string }
  t.same(await runVerb(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('a bug is not reported as an answer', async (t) => {
  const stdin = new Readable({
    read() {
      this.destroy(new RangeError('a bug'))
    },
  })
  await t.rejects(runVerb(['allow'], { stdin }), /a bug/)
})

t.test('a terminal as standard input is not waited for', async (t) => {
  t.match(await runVerb(['allow'], { stdin: null }), { code: 2, stderr: /name a FILE, or pipe/ })
})
