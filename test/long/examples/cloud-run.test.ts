/** The services of examples/cloud-run run as they are deployed, and Terraform says what they do. */
import '../../helpers/package-from-source.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { jsonOf, runVerb } from '../../helpers/command-line.ts'
import { entryOf, finds } from '../../helpers/logging-query.ts'
import { startProcess, type ServiceProcess } from '../../helpers/service-process.ts'
import { environmentOf, nested, parseHcl, readTerraform } from '../../helpers/terraform.ts'
import { until } from '../../helpers/waiting.ts'
import { blocksIn, textOf } from '../../pages/blocks.ts'

const { buildUserProfiles } = await import('../../../examples/cloud-run/user-profiles/app.ts')
const { configFrom } = await import('../../../examples/cloud-run/user-profiles/config.ts')

const project = 'shop-prod'
const terraform = await readTerraform({ project, search_image: 'search', user_profiles_image: 'u' })
const SERVICE = 'google_cloud_run_v2_service'
const deployed = {
  search: terraform.resource(SERVICE, 'search'),
  userProfiles: terraform.resource(SERVICE, 'user_profiles'),
}
const binding = terraform.resource(`${SERVICE}_iam_binding`, 'user_profiles_invokers') as {
  name: string
  location: string
  project: string
  role: string
  members: string[]
}
const audience = (deployed.userProfiles.custom_audiences as string[])[0] ?? ''
const accounts = {
  search: accountOf(deployed.search),
  signup: `signup@${project}.iam.gserviceaccount.com`,
}
const page = textOf('docs/deploying.md')
const troubleshooting = textOf('docs/troubleshooting.md')

const google = await startGoogleEmulator({ serviceAccount: accounts.search })
t.teardown(() => google.close())

function accountOf(service: object): string {
  return String(nested(service as never, 'template').service_account)
}

function startUserProfiles(t: Test): Promise<ServiceProcess> {
  const env = { ...environmentOf(deployed.userProfiles), JWKS_URI: google.jwksUri, PORT: '0' }
  return startProcess(t, ['examples/cloud-run/user-profiles/server.ts'], env)
}

function startSearch(t: Test, url: string): Promise<ServiceProcess> {
  const env = {
    ...environmentOf(deployed.search),
    ...google.env,
    USER_PROFILES_URL: url,
    PORT: '0',
  }
  return startProcess(t, ['examples/cloud-run/search/server.ts'], env)
}

/** Both services, with Cloud Run's front end before user-profiles, as Terraform sets it. */
async function startBoth(t: Test) {
  const userProfiles = await startUserProfiles(t)
  const frontEnd = await startCloudRunFrontend({
    target: userProfiles.url,
    audience,
    invokers: binding.members,
    jwksUri: google.jwksUri,
  })
  t.teardown(() => frontEnd.close())
  return { userProfiles, frontEnd, search: await startSearch(t, frontEnd.url) }
}

async function headersOf(email: string, aud = audience): Promise<Record<string, string>> {
  const token = `Bearer ${await google.idToken({ email, audience: aud })}`
  return { authorization: token, 'x-serverless-authorization': token }
}

interface Answer {
  status: number
  challenge: string
  body: string
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { headers })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? '',
    body: await response.text(),
  }
}

/** The cells of a row of the table about who has refused a call. */
function cellsOf(status: number): string[][] {
  const [, row = ''] = new RegExp(`^\\| ${status} \\| (.*) \\|$`, 'm').exec(troubleshooting) ?? []
  return row
    .split(' | ')
    .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted))
}

/** Whether an answer has what the cell of a table quotes. */
function hasAll({ challenge, body }: Answer, quoted: readonly string[] = []): boolean {
  const answer = `www-authenticate: ${challenge}\n${body}`
  return quoted.length > 0 && quoted.every((one) => answer.includes(one))
}

t.test('calls and refusals of services as they are deployed', async (t) => {
  const { userProfiles, frontEnd, search } = await startBoth(t)
  const url = `${frontEnd.url}/profiles/7`

  await t.test('search calls user-profiles, as its own account', async (t) => {
    const answer = await get(`${search.url}/items/1`)
    t.match(answer, { status: 200, body: '{"item":"desk lamp","seller":"Ada"}' })
    t.match(page, `\`${answer.body}\``, 'the page says what comes')
    t.equal((await get(`${search.url}/items/2`)).status, 404)
    t.match(await get(url, await headersOf(accounts.search)), { status: 200, body: /Ada/ })
  })

  await t.test('403 and 401, of Google and of the service, are as the page says', async (t) => {
    const stranger = 'stranger@elsewhere.iam.gserviceaccount.com'
    const refusedByGoogle = await get(url, await headersOf(stranger))
    const refusedHere = await get(url, await headersOf(accounts.signup))
    t.equal(refusedByGoogle.status, 403)
    t.equal(refusedByGoogle.challenge, '')
    t.match(refusedByGoogle.body, /^<html>/)
    t.equal(refusedHere.status, 403)
    const readers = await fetch(url, {
      method: 'PUT',
      headers: { ...(await headersOf(accounts.search)), 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Grace' }),
    })
    t.match(page, `\`${await readers.text()}\``, 'the page says what comes')
    const [google403, here403] = cellsOf(403)
    t.ok(hasAll(refusedByGoogle, google403))
    t.ok(hasAll(refusedHere, here403))

    const unverified = await get(url, await headersOf(accounts.search, 'https://a.example'))
    t.equal(unverified.status, 401)
    t.equal((await get(url)).status, 403, 'no token')
    // Past the IAM check, as where it is off.
    const direct = `${userProfiles.url}/profiles/7`
    const missing = await get(direct)
    const malformed = await get(direct, { authorization: 'Bearer nothing' })
    t.equal(missing.status, 401)
    t.equal(malformed.status, 401)
    const [google401, here401 = []] = cellsOf(401)
    t.ok(hasAll(unverified, google401))
    t.ok(hasAll(missing, here401.slice(0, 1)))
    t.notOk(hasAll(missing, here401))
    t.match(malformed.challenge, 'error="invalid_token"')
    t.match(here401.join(), 'error="invalid_token"')
  })

  await t.test(
    'the metric, and the query of the page, find each refusal and nothing else',
    async (t) => {
      const metric = terraform.resource('google_logging_metric', 'refusals')
      const [query = ''] = blocksIn(page).flatMap(({ language, code }) =>
        language === 'text' ? [code] : [],
      )
      await userProfiles.line('ID_TOKEN_MALFORMED')
      const entries = userProfiles.lines.map((line) =>
        entryOf(line, String(deployed.userProfiles.name)),
      )
      for (const filter of [String(metric.filter), query]) {
        const found = entries.filter((entry) => finds(filter, entry))
        const codes = found.map(({ jsonPayload }) => jsonPayload.code)
        t.same(codes, [
          'ID_TOKEN_CALLER_NOT_ALLOWED',
          'ID_TOKEN_CALLER_NOT_ALLOWED',
          'ID_TOKEN_MISSING',
          'ID_TOKEN_MALFORMED',
        ])
        t.ok(entries.length > found.length)
        const elsewhere = { ...found[0], resource: { type: 'cloud_run_revision', labels: {} } }
        t.notOk(finds(filter, elsewhere as never), 'another service')
        const payload = { ...found[0]?.jsonPayload, enforced: false }
        t.notOk(finds(filter, { ...found[0], jsonPayload: payload } as never), 'report only')
      }
      t.same(metric.label_extractors, { code: 'EXTRACT(jsonPayload.code)' })
      const alert = nested(
        terraform.resource('google_monitoring_alert_policy', 'refusals'),
        'conditions',
        'condition_threshold',
      )
      t.match(alert.filter, `metric.type="logging.googleapis.com/user/${String(metric.name)}"`)
    },
  )

  await t.test('/health is for the probe, and /healthz never arrives', async (t) => {
    for (const [service, { url }] of [
      [deployed.search, search],
      [deployed.userProfiles, userProfiles],
    ] as const) {
      const probe = nested(service, 'template', 'containers', 'startup_probe', 'http_get')
      t.match(await get(`${url}${String(probe.path)}`), { status: 200, body: 'ok\n' })
    }
    t.match(await get(`${frontEnd.url}/healthz`), { status: 404, body: /^<html>/ })
  })
})

t.test('the bindings of Terraform are those that the lists imply', async (t) => {
  const config = configFrom(environmentOf(deployed.userProfiles))
  const app = await buildUserProfiles(
    { ...config, jwksUri: google.jwksUri },
    pino({ level: 'silent' }),
  )
  t.teardown(() => app.close())
  await app.ready()
  const callers = JSON.stringify(app.listAllowedCallers())
  const listed = app.listAllowedCallers().flatMap(({ allowedCallers }) => allowedCallers)
  t.same(
    [...new Set(listed.map((email) => `serviceAccount:${String(email)}`))].sort(),
    [...binding.members].sort(),
  )
  t.match(binding, { name: 'user-profiles', role: 'roles/run.invoker', project })

  const { name, location, members } = binding
  const place = ['--service', name, '--region', location, '--project', project]
  const iam = (...args: string[]) => runVerb(['iam', '--callers', '-', ...args], { stdin: callers })
  t.same((jsonOf(await iam(...place, '--json')) as { members: string[] }).members, members)
  const { stdout: hcl } = await iam(...place, '--format', 'terraform')
  const { resource } = (await parseHcl('iam.tf', hcl)) as { resource: Record<string, object> }
  const [printed] = Object.values(resource.google_cloud_run_v2_service_iam_member ?? {})
  t.match(printed, [{ role: binding.role, name, location, project }])
  for (const member of members) t.match(hcl, `"${member}"`)

  // The commands of the page are those that it prints.
  const { stdout: commands } = await iam(...place)
  const printedCommands = commands.split('\n').filter((line) => line.startsWith('gcloud '))
  t.equal(printedCommands.length, members.length)
  for (const command of printedCommands) t.ok(page.includes(`\n${command}\n`), command)

  const file = t.testdir({ 'callers.json': callers })
  const check = (bindings: object[]) =>
    runVerb(['iam', '--callers', `${file}/callers.json`, '--check', '-'], {
      stdin: JSON.stringify({ bindings }),
    })
  t.match(await check([{ role: binding.role, members }]), { code: 0 })
  t.match(await check([{ role: binding.role, members: members.slice(1) }]), { code: 1 })
})

t.test('without its variables a service does not start', (t) => {
  for (const name of ['GOOGLE_CLOUD_PROJECT', 'AUDIENCE']) {
    const env = { ...environmentOf(deployed.userProfiles), [name]: undefined }
    t.throws(() => configFrom(env), { message: `The environment variable ${name} is missing` })
  }
  t.end()
})

t.test('npm ci accepts the lock files, and needs nothing that they do not name', async (t) => {
  for (const service of ['search', 'user-profiles']) {
    const read = (file: string): string =>
      readFileSync(
        new URL(`../../../examples/cloud-run/${service}/${file}`, import.meta.url),
        'utf8',
      )
    const directory = t.testdir({
      'package.json': read('package.json'),
      'package-lock.json': read('package-lock.json'),
    })
    // Without a network and with an empty cache, it fails where it has to look a package up.
    const args = ['ci', '--omit=dev', '--dry-run', '--offline', '--cache', `${directory}/cache`]
    const npm = spawn('npm', args, { cwd: directory, env: { PATH: process.env.PATH } })
    const [output, ended] = await Promise.all([text(npm.stderr), once(npm, 'close')])
    t.same(ended, [0, null], output)
  }
})

/** Whether nobody listens any more. */
async function isClosed(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

async function closed(url: string): Promise<void> {
  while (!(await isClosed(url))) await new Promise(setImmediate)
}

t.test('SIGTERM: user-profiles answers what it has, and ends with 0', async (t) => {
  const { url, kill, ended, lines } = await startUserProfiles(t)
  const url8 = `${url}/profiles/8`
  const body = JSON.stringify({ name: 'Grace' })
  // Now it has its keys: a request that waits for them would be answered 503.
  t.equal((await get(url8, await headersOf(accounts.search))).status, 404)
  const request = httpRequest(url8, {
    method: 'PUT',
    headers: {
      ...(await headersOf(accounts.signup)),
      'content-type': 'application/json',
      'content-length': body.length,
      // Node's server says "100 Continue" when it has the head: then the request is in flight.
      expect: '100-continue',
    },
  })
  await once(request, 'continue')
  kill('SIGTERM')
  await closed(url)
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  request.end(body)
  const [response] = await answered
  t.equal(response.statusCode, 200)
  // Otherwise the process would end when the client or the server has had enough of the connection.
  t.equal(response.headers.connection, 'close')
  t.equal(await text(response), body)
  t.same(await ended, [0, null])
  t.ok(lines.length > 0 && lines.every((line) => line.startsWith('{"severity":"')))
})

t.test('SIGTERM: search waits for its own call, and ends with 0', async (t) => {
  const { search } = await startBoth(t)
  google.fault('identity', { delayMs: 300, times: 1 })
  const before = google.requests.length
  const request = httpRequest(`${search.url}/items/1`).end()
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  await until(() => google.requests.slice(before).some(({ endpoint }) => endpoint === 'identity'))
  search.kill('SIGTERM')
  const [response] = await answered
  t.match(response, { statusCode: 200, headers: { connection: 'close' } })
  t.match(await text(response), /"seller":"Ada"/)
  t.same(await search.ended, [0, null])
})
