/**
 * The program of docs/outside-google-cloud.md with each credential file of that page. The emulator takes
 * the place of Google, and a server on loopback that of GitHub's token endpoint.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { GoogleAuth, type ExternalAccountClientOptions } from 'google-auth-library'
import t, { type Test } from 'tap'
import googleIdToken from '../../../src/index.ts'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { listenOnLoopback } from '../../helpers/listen-on-loopback.ts'
import { audience } from '../../helpers/shop.ts'
import { blocksIn, textOf } from '../../pages/blocks.ts'

const root = new URL('../../../', import.meta.url)
const PROGRAM = 'examples/outside-google-cloud/call.ts'
const ci = 'ci@shop-prod.iam.gserviceaccount.com'
const REQUEST_TOKEN = 'the request token of the job'

const page = textOf('docs/outside-google-cloud.md')
const blocks = blocksIn(page)

/** The credential files of the page, of which only the source differs. */
interface CredentialFile {
  credential_source: object
}

const files = blocks
  .filter(({ language }) => language === 'json')
  .map(({ code }) => JSON.parse(code) as CredentialFile)

const google = await startGoogleEmulator()
const app = Fastify()
await app.register(googleIdToken, { audience, allowedCallers: [ci], jwksUri: google.jwksUri })
app.get('/profiles/:id', ({ caller }) => ({ servedFor: caller.email }))
const cloudRun = await startCloudRunFrontend({
  target: await app.listen({ host: '127.0.0.1', port: 0 }),
  audience,
  invokers: [`serviceAccount:${ci}`],
  jwksUri: google.jwksUri,
})
t.teardown(async () => {
  await cloudRun.close()
  await app.close()
  await google.close()
})

/** A file of the page, with the emulator's provider and addresses. */
function atTheEmulator(file: CredentialFile, options: { aws?: boolean } = {}): CredentialFile {
  const emulated: object = google.workloadIdentityConfig(ci, options)
  const names = Object.keys(file)
  const changed = Object.entries(emulated).filter(([name]) => names.includes(name))
  const { credential_source: source } = file
  return { ...file, ...Object.fromEntries(changed), credential_source: source }
}

/** Where a job of GitHub Actions gets its OIDC tokens. */
async function startGitHub(t: Test): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost')
      const isOfTheJob = request.headers.authorization === `Bearer ${REQUEST_TOKEN}`
      const isForGoogle = searchParams.get('audience')?.startsWith('https://iam.googleapis.com/')
      response.statusCode = isOfTheJob && isForGoogle ? 200 : 401
      response.end(JSON.stringify({ count: 1, value: await google.subjectToken(ci) }))
    })()
  })
  return listenOnLoopback(t, server)
}

interface Ended {
  code: number | null
  output: string
  errors: string
}

/** Runs the program with a credential file, and with further files beside it. */
async function call(
  t: Test,
  file: CredentialFile,
  { env = {}, files = {} }: { env?: Record<string, string>; files?: Record<string, string> } = {},
): Promise<Ended> {
  const directory = t.testdir({ ...files, 'credentials.json': JSON.stringify(file) })
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM], {
    cwd: root,
    // Not the environment of this process: it may have credentials, and tap counts coverage.
    env: {
      PATH: process.env.PATH,
      GOOGLE_APPLICATION_CREDENTIALS: join(directory, 'credentials.json'),
      GOOGLE_CLOUD_PROJECT: 'shop-prod',
      PROFILES_URL: cloudRun.url,
      PROFILES_AUDIENCE: audience,
      _TAPJS_PROCESSINFO_COVERAGE_: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  })
  const exit = once(child, 'close')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await exit) as [number | null]
  return { code, output, errors }
}

const SERVED: Ended = { code: 0, output: `200 {"servedFor":"${ci}"}\n`, errors: '' }

const [github, aws, oidc] = files as [CredentialFile, CredentialFile, CredentialFile]

t.test('the page shows the program of the repository, and three credential files', (t) => {
  const programs = blocks.filter(({ language }) => language === 'ts')
  t.same(
    programs.map(({ code }) => code),
    [readFileSync(new URL(PROGRAM, root), 'utf8')],
  )
  t.equal(files.length, 3)
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
  t.end()
})

t.test('google-auth-library has no ID tokens for the three files', async (t) => {
  for (const file of files) {
    const credentials = file as unknown as ExternalAccountClientOptions
    const auth = new GoogleAuth({ credentials, projectId: 'shop-prod' })
    await t.rejects(auth.getIdTokenClient(audience), {
      message: 'Cannot fetch ID token in this environment',
    })
  }
})

/** The file of GitHub Actions, for a token endpoint on loopback. */
function fromGitHub(url: string, requestToken: string): CredentialFile {
  const file = atTheEmulator(github)
  const source = file.credential_source as { url: string; headers: Record<string, string> }
  const { search } = new URL(source.url)
  t.same(Object.keys(source.headers), ['Authorization'])
  const headers = { Authorization: `Bearer ${requestToken}` }
  return { ...file, credential_source: { ...source, url: `${url}/idtoken${search}`, headers } }
}

t.test('GitHub Actions: the subject token from a URL', async (t) => {
  const url = await startGitHub(t)
  t.same(await call(t, fromGitHub(url, REQUEST_TOKEN)), SERVED)
})

t.test('GitHub Actions: a wrong request token', async (t) => {
  const wrong = 'of another job'
  const { code, output, errors } = await call(t, fromGitHub(await startGitHub(t), wrong))
  t.same([code, output], [1, ''])
  t.match(errors, 'SERVICE_CLIENT_CREDENTIALS_REFUSED')
  t.notMatch(errors, wrong)
})

t.test('AWS: a signed request, with the keys of the environment', async (t) => {
  const keys = {
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'a secret that nobody verifies',
    AWS_REGION: 'us-east-1',
  }
  t.same(await call(t, atTheEmulator(aws, { aws: true }), { env: keys }), SERVED)
})

t.test('another OIDC provider: the subject token in a file', async (t) => {
  t.same(Object.keys(oidc.credential_source), ['file'])
  const source = { file: join(t.testdirName, 'token') }
  const files = { token: await google.subjectToken(ci) }
  t.same(await call(t, { ...atTheEmulator(oidc), credential_source: source }, { files }), SERVED)
})

t.test('the id_token of the action needs id_token_include_email', async (t) => {
  const exchange = await fetch(`${google.url}/v1/token`, {
    method: 'POST',
    body: JSON.stringify({
      audience: google.workloadIdentityConfig(ci).audience,
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      subjectToken: await google.subjectToken(ci),
    }),
  })
  const { access_token: accessToken } = (await exchange.json()) as { access_token: string }
  const statusWith = async (includeEmail: boolean): Promise<number> => {
    const made = await fetch(`${google.url}/v1/projects/-/serviceAccounts/${ci}:generateIdToken`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
      body: JSON.stringify({ audience, includeEmail }),
    })
    const { token } = (await made.json()) as { token: string }
    const bearer = `Bearer ${token}`
    const headers = { authorization: bearer, 'x-serverless-authorization': bearer }
    return (await fetch(`${cloudRun.url}/profiles/42`, { headers })).status
  }
  t.same([await statusWith(true), await statusWith(false)], [200, 403])
})
