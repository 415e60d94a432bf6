/** docs/who-calls.md, row by row: against the pushes, Cloud Run's front end and the plugin. */
import Fastify from 'fastify'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import googleIdToken from '../../src/index.ts'
import { parseAllowedCallers, type AllowedCaller } from '../../src/policy/allowed-callers.ts'
import { GCLOUD_CLIENT } from '../../src/testing/emulator/users.ts'
import { startCloudRunFrontend } from '../../src/testing.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { setEnvironment } from '../helpers/environment.ts'
import { otherIssuer } from '../helpers/issuer.ts'
import { startService } from '../helpers/recording-service.ts'
import { audience, login } from '../helpers/shop.ts'
import { textOf } from './blocks.ts'

const page = textOf('docs/who-calls.md')
const google = await startEmulator(t)
const { jwksUri } = google
// As on Cloud Run: trustRemovedSignature requires it.
setEnvironment(t, { K_SERVICE: 'user-profiles' })

const IAP_AUDIENCE = '/projects/739419398126/locations/us-central1/services/user-profiles'
const CHAT = 'chat@system.gserviceaccount.com'

/** The products whose requests the emulator sends. */
const PUSHES = {
  'Pub/Sub push': google.push.pubsub,
  'Cloud Tasks': google.push.cloudTasks,
  'Cloud Scheduler': google.push.cloudScheduler,
  Eventarc: google.push.eventarc,
}
const pushOf = new Map(Object.entries(PUSHES))

/** The audience of the token in the test, where it is not the URL of the service. */
const OTHER_AUDIENCES = new Map([
  ['Google Chat', `${audience}/chat`],
  ['Google Chat, an older app', `${audience}/chat`],
  ['a load balancer with serverless NEGs', 'https://shop.example.com'],
])

/** The rows of the README's table that say the same of whole groups of callers. */
const IN_THE_README = {
  'another service of yours': [
    'another Cloud Run service',
    'a workload on GKE',
    'GitHub Actions, by federation',
  ],
  'Pub/Sub, Cloud Tasks, Cloud Scheduler, Eventarc': [...pushOf.keys()],
  'a person with gcloud': ['a laptop, by impersonation'],
  'people and services through Identity-Aware Proxy': ['Identity-Aware Proxy'],
}

interface Row {
  caller: string
  header: string
  defaultAudience: string
  entry: AllowedCaller
  /** What arrives, and the options, by IAM check; `undefined` for a case that there is not. */
  cases: Record<'on' | 'off', Case | undefined>
}

interface Case {
  arrives: string
  options: string[]
}

/** The cells of a table of the page, without its head. */
function rowsOf(table: string): string[][] {
  const [, inner = ''] = page.split(new RegExp(`<!-- (?:end of )?${table} -->`))
  return cellsIn(inner).slice(2)
}

function cellsIn(text: string): string[][] {
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  )
}

function quotedIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted)
}

function entryIn(cell: string): AllowedCaller {
  const [entry = ''] = quotedIn(cell)
  const email = /^\{ email: '(.+)' \}$/.exec(entry)?.[1]
  return email === undefined ? entry : { email }
}

function caseIn(cell: string): Case | undefined {
  if (cell === '–') return undefined
  const [arrives = '', options = ''] = cell.split(': ')
  return { arrives, options: quotedIn(options) }
}

const requests = rowsOf('requests')
const rows = rowsOf('configuration').map(
  ([caller = '', entry = '', on = '', off = ''], index): Row => {
    const [, header = '', , defaultAudience = ''] = requests[index] ?? []
    const cases = { on: caseIn(on), off: caseIn(off) }
    return { caller, header, defaultAudience, entry: entryIn(entry), cases }
  },
)

t.test('both tables have the same callers, and lists accept all of them', (t) => {
  t.ok(rows.length > 12)
  t.same(
    rows.map(({ caller }) => caller),
    requests.map(([caller]) => caller),
  )
  for (const { entry } of rows) t.doesNotThrow(() => parseAllowedCallers('list', [entry]))
  t.end()
})

t.test('the table of the README says the same of what arrives', (t) => {
  const [, section = ''] = textOf('README.md').split('## On Cloud Run')
  const arrivals = new Map<string, string>()
  let group = ''
  for (const [caller = '', iamCheck = '', , arrives = ''] of cellsIn(section)) {
    group = caller === '' ? group : caller
    arrivals.set(`${group}, ${iamCheck}`, arrives)
  }
  for (const [group, callers] of Object.entries(IN_THE_README)) {
    for (const { caller, cases } of rows.filter(({ caller }) => callers.includes(caller))) {
      for (const iamCheck of ['on', 'off'] as const) {
        t.match(arrivals.get(`${group}, ${iamCheck}`), cases[iamCheck]?.arrives, caller)
      }
    }
  }
  t.end()
})

for (const [index, [caller = '', push]] of [...pushOf].entries()) {
  t.test(`${caller}: the request carries what its row says`, async (t) => {
    const service = await startService(t)
    const url = `${service.url}/events?shard=1`
    await push({ url, serviceAccount: login })
    const { header, defaultAudience } = rows[index] as Row
    const [sent] = service.requests
    t.same(
      Object.entries(sent?.headers ?? {})
        .filter(([, value]) => String(value).startsWith('Bearer '))
        .map(([name]) => name),
      quotedIn(header).map((name) => name.toLowerCase()),
    )
    const { email, aud } = decodeJwt(service.tokens()[0] ?? '')
    t.equal(email, login)
    t.equal(aud, defaultAudience.startsWith('the whole URL') ? url : service.url)
  })
}

for (const row of rows) {
  for (const [iamCheck, one] of Object.entries(row.cases)) {
    if (one === undefined) continue
    t.test(
      `${row.caller}, IAM check ${iamCheck}: ${one.options.join() || 'no option'}`,
      async (t) => {
        t.equal(one.options.includes('audience'), OTHER_AUDIENCES.has(row.caller))
        const isOn = iamCheck === 'on'
        t.match(await call(t, row, { isOn, options: one.options }), {
          status: 200,
          email: emailOf(row.entry),
          audience: row.header.includes('IAP') ? IAP_AUDIENCE : audienceOf(row),
          header: row.header.includes('IAP') ? 'x-goog-iap-jwt-assertion' : 'authorization',
          signatureVerified: one.arrives === 'intact',
        })
        if (one.options.length === 0) return
        t.match(await call(t, row, { isOn, options: [] }), {
          status: 401,
          code:
            one.options.join() === 'audience'
              ? 'ID_TOKEN_AUDIENCE_MISMATCH'
              : 'ID_TOKEN_SIGNATURE_REMOVED',
        })
      },
    )
  }
}

t.test('the tokens that are refused, with their outcomes', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const dana = { email: 'dana@example.com' }
  await app.register(googleIdToken, { audience, jwksUri, allowedCallers: [login, dana] })
  app.get('/', () => 'ok')

  const agent = { iss: 'https://sts.googleapis.com/v1/organizations/1', sub: 'spiffe://agents/1' }
  const tokens: [row: string, tokens: Promise<string>[]][] = [
    ['Google Chat', [otherIssuer.idToken({ audience: '739419398126', claims: { iss: CHAT } })]],
    [
      'agent identity',
      [
        otherIssuer.idToken({ audience, claims: agent }),
        otherIssuer.idToken({ audience, claims: agent, header: { alg: 'ES256' } }),
      ],
    ],
    ['gcloud', [google.idToken({ ...dana, audience: GCLOUD_CLIENT })]],
    ['without an email', [google.idToken({ audience, subject: '112233445566778899001' })]],
  ]
  const refused = rowsOf('refused')
  t.equal(refused.length, tokens.length)
  for (const [index, [name, made]] of tokens.entries()) {
    const [token = '', outcome = ''] = refused[index] ?? []
    t.match(token, name)
    const codes = await Promise.all(
      made.map(async (one) => {
        const authorization = `Bearer ${await one}`
        const response = await app.inject({ url: '/', headers: { authorization } })
        return response.json<{ code: string }>().code
      }),
    )
    t.same(codes, quotedIn(outcome))
  }
})

function emailOf(entry: AllowedCaller): string {
  return typeof entry === 'string' ? entry : entry.email
}

function audienceOf({ caller }: Row): string {
  return OTHER_AUDIENCES.get(caller) ?? audience
}

/** Calls a service with these options as the caller of the row does, through Cloud Run's front end. */
async function call(
  t: Test,
  row: Row,
  { isOn, options }: { isOn: boolean; options: string[] },
): Promise<Record<string, unknown>> {
  const { entry, header } = row
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(googleIdToken, {
    audience: options.includes('audience') ? [audience, audienceOf(row)] : audience,
    jwksUri,
    allowedCallers: [entry],
    trustRemovedSignature: options.includes('trustRemovedSignature'),
    ...(options.includes('iap') && { iap: { audience: IAP_AUDIENCE, jwksUri: google.iapJwksUri } }),
  })
  app.post('/events', ({ caller }) => ({ ...caller, claims: undefined }))
  const front = await startCloudRunFrontend({
    target: await app.listen({ host: '127.0.0.1', port: 0 }),
    audience: [audience, audienceOf(row)],
    jwksUri,
    ...(header.includes('IAP')
      ? { iap: { audience: IAP_AUDIENCE, members: [entry], issuer: google } }
      : isOn
        ? { invokers: [entry] }
        : { allowUnauthenticated: true }),
  })
  t.teardown(() => front.close())
  const response = await send(row, `${front.url}/events`)
  return { status: response.status, ...((await response.json()) as object) }
}

/** One request, with the token where the row says. */
async function send(row: Row, url: string): Promise<Response> {
  const email = emailOf(row.entry)
  const push = pushOf.get(row.caller)
  if (push !== undefined) return push({ url, serviceAccount: email, audience: audienceOf(row) })
  // What a program presents to IAP.
  const toIap = row.header.includes('IAP') ? 'iap.apps.googleusercontent.com' : undefined
  const token = `Bearer ${await google.idToken({ email, audience: toIap ?? audienceOf(row) })}`
  const headers = new Headers({ authorization: token })
  const isBoth = toIap === undefined && !row.header.includes('`')
  if (isBoth) headers.set('x-serverless-authorization', token)
  return fetch(url, { method: 'POST', headers })
}
