/** The way from a service that anyone may call to one that knows its callers, as docs/rollout.md tells it. */
import '../../helpers/package-from-source.ts'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Stage } from '../../../examples/rollout/deploy.ts'
import type { Typed } from '../../../examples/rollout/run-rollout.ts'
import { textOf } from '../../pages/blocks.ts'

const { runRollout } = await import('../../../examples/rollout/run-rollout.ts')

const root = fileURLToPath(new URL('../../..', import.meta.url))
const THE_THREE = ['login', 'search', 'signup'].map((name) => `${name}@shop-prod`)
const STRAY = 'crawler@elsewhere'
const NOT_ALLOWED = 'ID_TOKEN_CALLER_NOT_ALLOWED'

/** What became of the calls of each caller, by its email without the end that all have. */
function outcomesOf({ rows }: Stage): Record<string, unknown> {
  return Object.fromEntries(
    rows.map(({ call, answer, audited }) => [
      call.email.replace('.iam.gserviceaccount.com', ''),
      [answer.status, answer.refusedBy ?? audited],
    ]),
  )
}

function calls(ofTheThree: string | undefined, stray: unknown): Record<string, unknown> {
  const [login = '', search = '', signup = ''] = THE_THREE
  const profile = [200, ofTheThree]
  return { [login]: profile, [search]: profile, [signup]: [201, ofTheThree], [STRAY]: stray }
}

t.test('three services keep their access, a stray caller loses it', async (t) => {
  const steps = await runRollout()
  const stages = steps.filter((step): step is Stage => 'rows' in step)
  const typed = steps.filter((step): step is Typed => 'line' in step)
  t.ok(stages.every(({ rows }) => rows.every(({ asExpected }) => asExpected)))
  t.ok(typed.every(({ asExpected }) => asExpected))

  const letIn = `${NOT_ALLOWED}, let in`
  t.strictSame(stages.map(outcomesOf), [
    calls(undefined, [200, undefined]),
    calls(letIn, [200, letIn]),
    calls('accepted, let in', [200, letIn]),
    calls('accepted', [403, NOT_ALLOWED]),
    calls('accepted', [403, 'Google Frontend']),
  ])

  const [proposed, compared, differs, bindings, agrees] = typed.map(({ stdout }) => stdout)
  for (const caller of THE_THREE) {
    t.match(proposed, `\n      "${caller}.iam.gserviceaccount.com", // 3 calls\n`)
    t.match(bindings, `--member=serviceAccount:${caller}.iam.gserviceaccount.com\n`)
    t.match(differs, `only in lists  "serviceAccount:${caller}.iam`)
  }
  t.match(proposed, `// "${STRAY}.iam.gserviceaccount.com", // 3 calls; of project elsewhere`)
  t.equal(compared?.match(/calls, not listed/g)?.length, 1)
  t.match(compared, `"${STRAY}.iam`)
  t.match(differs, /^!!! allUsers may call/)
  t.equal(bindings?.match(/--member=/g)?.length, THE_THREE.length)
  t.match(agrees, /^The policy and the lists agree\.\n/)
})

t.test('npm start -- --rollout prints it, and exits with 0', (t) => {
  const printed = execFileSync('npm', ['start', '--silent', '--', '--rollout'], {
    cwd: root,
    encoding: 'utf8',
    // What tsx runs is not counted: see examples.test.ts.
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0', FORCE_COLOR: '0' },
  })
  const titles = printed.match(/^\d+\. .*$/gm) ?? []
  t.equal(titles.length, 10)
  t.match(printed, /\n10 steps, all as expected\.\n$/)
  t.notMatch(printed, '✗')
  t.end()
})

t.test('the page tells it in ten steps', (t) => {
  const numbers = [...textOf('docs/rollout.md').matchAll(/^(\d+)\. \*\*/gm)].map(([, n]) => n)
  t.strictSame(
    numbers,
    Array.from({ length: 10 }, (_, index) => String(index + 1)),
  )
  t.end()
})
