import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import googleIdToken from '../../../src/index.ts'
import { jsonOf, runVerb, type Ran } from '../../helpers/command-line.ts'
import { issuer } from '../../helpers/issuer.ts'

const ORDERS = 'orders@shop-prod.iam.gserviceaccount.com'
const BILLING = 'billing@shop-prod.iam.gserviceaccount.com'
const STRAY = 'stray@elsewhere.iam.gserviceaccount.com'

const app = Fastify()
app.register(googleIdToken, {
  audience: 'https://shop.example.com',
  jwks: issuer.jwks,
  allowedCallers: [ORDERS, BILLING],
})
app.get('/orders', () => '')
app.get('/open', { config: { idToken: false } }, () => '')
app.get(
  '/optional',
  { config: { idToken: { optional: true, allowedCallers: [ORDERS] } } },
  () => '',
)
await app.ready()

const directory = mkdtempSync(join(tmpdir(), 'allow-'))
const LISTS = join(directory, 'callers.json')
writeFileSync(LISTS, JSON.stringify(app.listAllowedCallers()))
t.teardown(async () => {
  rmSync(directory, { recursive: true })
  await app.close()
})

interface Call {
  method?: string
  route?: string | null
  outcome?: string
  count?: number
  caller?: { email?: string; subject: string } | null
}

const by = (email: string, others: Call = {}): Call => ({
  caller: { email, subject: '112233445566778899001' },
  ...others,
})

/** A log in which everyone who is listed calls, and these calls. */
function logOf(...calls: Call[]): string {
  const served = [by(ORDERS), by(BILLING), by(ORDERS, { route: '/optional' })]
  return [...served, ...calls]
    .map((call) => ({ method: 'GET', route: '/orders', outcome: 'accepted', count: 1, ...call }))
    .map((idToken) => `${JSON.stringify({ level: 30, idToken })}\n`)
    .join('')
}

const against = (stdin: string, ...args: string[]): Promise<Ran> =>
  runVerb(['allow', '--against', LISTS, ...args], { stdin })

t.test('everyone who is listed calls, and nobody would be refused: 0', async (t) => {
  const open = { caller: null, route: '/open', outcome: 'ID_TOKEN_MISSING' }
  const optional = { caller: null, route: '/optional' }
  const log = logOf(
    open,
    by(STRAY, { route: '/open' }),
    { ...optional, outcome: 'anonymous' },
    { ...optional, outcome: 'ID_TOKEN_MISSING' },
    by(ORDERS, { method: 'HEAD' }),
    by(BILLING, { outcome: 'ID_TOKEN_CALLER_NOT_ALLOWED' }),
    // trustRemovedSignature: accepted, and nobody is known.
    { caller: null },
    { caller: null, route: null, outcome: 'ID_TOKEN_MISSING', count: 7 },
  )
  t.same(await against(log), {
    code: 0,
    stdout: [
      'Every call of this log to a route would be let in, and every listed caller has called.',
      '// 7 calls to no route. Once the guard is enforced, they need a good token too.',
      '',
    ].join('\n'),
    stderr: '',
  })
})

t.test('who calls and is not listed, and who is listed and never calls', async (t) => {
  const calls = [
    by(ORDERS),
    by('p@example.com', { method: 'HEAD' }),
    by(STRAY, { route: '/old', outcome: 'ID_TOKEN_EXPIRED' }),
    by('Big@Example.com', { route: '/old' }),
    { caller: { subject: 'spiffe://x' } },
  ]
  const log = logOf(...calls).replace(/^.*billing.*\n/m, '')
  const ran = await against(log, '--json')
  t.equal(ran.code, 1)
  t.match(jsonOf(ran), {
    differences: [
      {
        route: '/orders',
        listedAndNeverCalls: [BILLING],
        callsAndIsNotListed: [{ entry: null }, { entry: { email: 'p@example.com' } }],
        refusedInAnyCase: [],
      },
      {
        route: '/old',
        listedAndNeverCalls: [],
        callsAndIsNotListed: [{ entry: STRAY }, { entry: null }],
      },
    ],
  })
  const { stdout } = await runVerb(['allow', '--against', LISTS], {
    stdin: log,
    terminals: ['stdout'],
  })
  t.match(stdout, '"GET /orders"')
  t.match(stdout, /calls, not listed.*"Big@Example.com"/)
  t.match(stdout, new RegExp(`"${STRAY}" .*refused for another reason too: ID_TOKEN_EXPIRED`))
  t.match(stdout, new RegExp(`listed, never calls.*"${BILLING}"`))
})

t.test('calls that no list would let in are named, and the answer is negative', async (t) => {
  const missing = { caller: null, outcome: 'ID_TOKEN_MISSING' }
  const wrongAudience = 'ID_TOKEN_AUDIENCE_MISMATCH'
  const { code, stdout } = await against(
    logOf(
      by(ORDERS, { outcome: wrongAudience, count: 4 }),
      { ...missing, count: 2 },
      { ...missing, method: 'HEAD', count: 3 },
      { caller: null, outcome: 'anonymous' },
      { caller: null, route: '/optional', outcome: 'ID_TOKEN_MALFORMED\u202e' },
    ),
  )
  t.equal(code, 1)
  t.equal(
    stdout,
    [
      '"GET /orders"',
      `  refused in any case  "${ORDERS}" (4 calls; ${wrongAudience})`,
      '  refused in any case  an unknown caller (5 calls; ID_TOKEN_MISSING)',
      '  refused in any case  an unknown caller (1 call; anonymous)',
      '"GET /optional"',
      String.raw`  refused in any case  an unknown caller (1 call; ID_TOKEN_MALFORMED\u202e)`,
      '',
    ].join('\n'),
  )
})

t.test('a log that could not be compared as a whole is no good answer', async (t) => {
  const others = `${JSON.stringify({ idToken: { method: null, outcome: 'others', count: 9 } })}\n`
  for (const [rest, remark] of [
    [others, '// 9 calls are missing here'],
    ['{"idToken":{"method":"GET"', '// Lines that could not be read'],
  ] as const) {
    const { code, stdout } = await against(logOf() + rest)
    t.equal(code, 1)
    t.match(stdout, `What could be compared agrees. This is not the whole log:\n${remark}`)
  }
  const empty = join(directory, 'no-lists.json')
  writeFileSync(empty, '[]')
  const nothing = await runVerb(['allow', '--against', empty], { stdin: '' })
  t.match(nothing, { code: 1, stdout: /No line of the audit log was found/ })
})
