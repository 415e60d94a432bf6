import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { jsonOf, runVerb, type Ran } from '../../helpers/command-line.ts'

const ORDERS = 'orders@shop-prod.iam.gserviceaccount.com'
const BILLING = 'billing@shop-prod.iam.gserviceaccount.com'
const ROWS = [
  {
    method: 'GET',
    url: '/orders',
    access: 'callers',
    allowedCallers: [ORDERS, `serviceAccount:${ORDERS}`, { email: "o'brien$x`${y}@example.com" }],
    audience: ['https://orders.example.com'],
  },
  {
    method: 'POST',
    url: '/x\n"',
    access: 'optional',
    allowedCallers: [BILLING, '*@other.iam.gserviceaccount.com', '112233445566778899001'],
  },
  { method: 'GET', url: '/health', access: 'open', allowedCallers: [], audience: [] },
]
const MEMBERS = [
  `serviceAccount:${BILLING}`,
  `serviceAccount:${ORDERS}`,
  "user:o'brien$x`${y}@example.com",
]
const SERVICE = ['--service', 'orders', '--region', 'europe-west1', '--project', 'shop-prod']

function iam(...args: string[]): Promise<Ran> {
  return runVerb(['iam', '--callers', '-', ...args], { stdin: JSON.stringify(ROWS) })
}

function policy(t: Test, content: unknown): string {
  const directory = mkdtempSync(join(tmpdir(), 'iam-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  writeFileSync(join(directory, 'policy.json'), JSON.stringify(content))
  return join(directory, 'policy.json')
}

t.test('gcloud: one command a member, which a shell reads as one word', async (t) => {
  const { code, stdout } = await iam(...SERVICE)
  t.equal(code, 0)
  const script = `gcloud() { printf '%s\\n' "$@" 'END'; }\n${stdout}`
  const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n')
  t.strictSame(
    words,
    MEMBERS.flatMap((member) => [
      'run',
      'services',
      'add-iam-policy-binding',
      'orders',
      '--region=europe-west1',
      '--project=shop-prod',
      '--role=roles/run.invoker',
      `--member=${member}`,
      'END',
    ]).concat(''),
  )
})

t.test('terraform: one resource, in which nothing is a template', async (t) => {
  const { stdout } = await iam(...SERVICE, '--format', 'terraform')
  t.match(stdout, 'resource "google_cloud_run_v2_service_iam_member" "orders_invokers" {')
  t.match(stdout, `    "serviceAccount:${BILLING}",\n`)
  t.match(stdout, '    "user:o\'brien$x`$${y}@example.com",\n')
  t.match(stdout, '  location = "europe-west1"\n')
})

t.test('what no binding can say is said, in comments on one line', async (t) => {
  const { stdout } = await iam(...SERVICE)
  t.match(stdout, '# No binding for "112233445566778899001": a unique id')
  t.match(stdout, '# No binding for "*@other.iam.gserviceaccount.com": every service account')
  t.match(stdout, String.raw`# "POST /x\n\"" answers requests without a token`)
  t.match(stdout, '# "GET /health" is open to anyone')
})

t.test('--json says the same, whatever the format', async (t) => {
  for (const format of ['gcloud', 'terraform']) {
    const said: { withoutBinding: object[]; notes: string[] } = jsonOf(
      await iam(...SERVICE, '--json', '--format', format),
    )
    const { withoutBinding, notes, ...binding } = said
    t.strictSame(binding, {
      service: 'orders',
      region: 'europe-west1',
      project: 'shop-prod',
      role: 'roles/run.invoker',
      members: MEMBERS,
    })
    t.match(withoutBinding, [
      { entry: '*@other.iam.gserviceaccount.com', reason: /^every service account of a project/ },
      { entry: '112233445566778899001', reason: /^a unique id/ },
    ])
    t.match(notes, [/^"POST .* without a token/, /^"GET \/health" is open/])
  }
})

t.test('--check tells both ways, and everyone loudest', async (t) => {
  const file = policy(t, {
    etag: 'x',
    bindings: [
      {
        role: 'roles/run.invoker',
        members: [`serviceAccount:${ORDERS}`, 'user:p@example.com', 'allUsers'],
      },
      {
        role: 'roles/run.servicesInvoker',
        members: ['serviceAccount:a@other.iam.gserviceaccount.com', 'allAuthenticatedUsers'],
      },
      {
        role: 'roles/run.invoker',
        condition: { expression: 'false' },
        members: [`serviceAccount:${BILLING}`],
      },
      { role: 'roles/run.admin', members: ['user:admin@example.com'] },
      { role: 'roles/run.invoker' },
    ],
  })
  const { code, stdout } = await iam('--check', file)
  t.equal(code, 1)
  t.same(
    stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      '!!! allUsers may call: anyone on the Internet, without any token. The IAM check keeps out nobody.',
      '!!! allAuthenticatedUsers may call: anyone with any Google account. The IAM check keeps out only requests without a token.',
      'only in IAM    "user:p@example.com"',
      'only in lists  "user:o\'brien$x`${y}@example.com"',
      `conditional    "serviceAccount:${BILLING}"`,
    ],
  )
  const { withoutBinding, notes, ...differences }: Record<string, unknown> = jsonOf(
    await iam('--check', file, '--json'),
  )
  t.strictSame(differences, {
    everyone: ['allUsers', 'allAuthenticatedUsers'],
    onlyInPolicy: ['user:p@example.com'],
    onlyInLists: [MEMBERS[2]],
    conditional: [MEMBERS[0]],
  })
  t.match([withoutBinding, notes], [{ length: 2 }, { length: 2 }])
})

t.test('--check exits with 0 where policy and lists agree', async (t) => {
  const file = policy(t, { bindings: [{ role: 'roles/run.invoker', members: MEMBERS }] })
  t.match(await iam('--check', file), { code: 0, stdout: /^The policy and the lists agree\.\n/ })
  t.match(await iam('--check', policy(t, { etag: 'x' })), { code: 1 })
})

t.test('wrong usage', async (t) => {
  const stdin = JSON.stringify(ROWS)
  for (const [args, said] of [
    [[], /Option --callers FILE\|- is missing/],
    [['--callers', '-'], /Option --service is missing/],
    [['--callers', '-', ...SERVICE, '--region', '$(x)'], /Option --region is "\$\(x\)"/],
    [['--callers', '-', ...SERVICE, '--format', 'yaml'], /Option --format is "yaml"/],
    [['--callers', '-', '--check', '-'], /Only one of/],
    [['--callers', '-', '--check', policy(t, {})], /holds no IAM policy/],
    [['--callers', '-', '--check', policy(t, { bindings: 'x' })], /holds no IAM policy/],
    [['--callers', '-', 'x'], /1 arguments without an option/],
  ] as const) {
    const ran = await runVerb(['iam', ...args], { stdin })
    t.equal(ran.code, 2, args.join(' '))
    t.match(ran.stderr, said)
  }
})
