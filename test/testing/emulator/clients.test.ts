/** Google's own clients, unmodified, against the emulator. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import * as gcpMetadata from 'gcp-metadata'
import * as library10 from 'google-auth-library'
import type { GoogleAuth, GoogleAuthOptions } from 'google-auth-library'
import * as library11 from 'google-auth-library-11'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { createVerifier } from '../../../src/index.ts'
import type { GoogleEmulator } from '../../../src/testing.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { audience, login as email } from '../../helpers/shop.ts'

const GCLOUD = '32555940559.apps.googleusercontent.com'

const google = await startEmulator(t, { serviceAccount: email })
const uniqueId = google.serviceAccountKey(email).client_id

// Without it, google-auth-library runs gcloud.
process.env.GOOGLE_CLOUD_PROJECT = 'shop-prod'

/** Sends what the client would send to Google, whose address it has built in, to the emulator. */
function toEmulator({ url }: GoogleEmulator): NonNullable<GoogleAuthOptions['clientOptions']> {
  const fetchImplementation = (input: string | URL | Request, init?: RequestInit) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    return fetch(`${url}${pathname}${search}`, init)
  }
  return { transporterOptions: { fetchImplementation } }
}

type Library = typeof library10

/** What the tests have in common, with one version of google-auth-library. */
function withLibrary({ GoogleAuth, OAuth2Client }: Library) {
  /** Application default credentials from a file. */
  function authWith(t: Test, credentials: object, options: GoogleAuthOptions = {}): GoogleAuth {
    const file = join(t.testdirName, 'credentials.json')
    mkdirSync(t.testdirName, { recursive: true })
    writeFileSync(file, JSON.stringify(credentials))
    process.env.GOOGLE_APPLICATION_CREDENTIALS = file
    return new GoogleAuth(options)
  }

  async function idTokenOf(auth: GoogleAuth): Promise<string> {
    const client = await auth.getIdTokenClient(audience)
    return client.idTokenProvider.fetchIdToken(audience)
  }

  /** As OAuth2Client reads the X.509 certificates. */
  function verifyIdToken(idToken: string, accepted = audience) {
    const client = new OAuth2Client({
      endpoints: { oauth2FederatedSignonPemCertsUrl: `${google.url}/oauth2/v1/certs` },
    })
    return client.verifyIdToken({ idToken, audience: accepted })
  }

  /** The claims, verified by google-auth-library, without the times. */
  async function claimsOf(idToken: string, accepted?: string): Promise<Record<string, unknown>> {
    const payload = (await verifyIdToken(idToken, accepted)).getPayload()
    const { iat = NaN, exp, ...claims } = { ...payload }
    if (exp !== iat + 3600) throw new Error('not an hour')
    return claims
  }

  return { authWith, idTokenOf, claimsOf }
}

const TO_EMULATOR = { clientOptions: toEmulator(google) }
const CLOUD_PLATFORM = { scopes: ['https://www.googleapis.com/auth/cloud-platform'] }

const WITHOUT_EMAIL = { iss: 'https://accounts.google.com', aud: audience, sub: uniqueId }
const WITH_EMAIL = { ...WITHOUT_EMAIL, email, email_verified: true }

/** Every type of credentials. */
async function testCredentials(t: Test, library: Library): Promise<void> {
  const { GoogleAuth, IdTokenClient, Impersonated } = library
  const { authWith, idTokenOf, claimsOf } = withLibrary(library)

  await t.test('a service account key', async (t) => {
    const token = await idTokenOf(authWith(t, google.serviceAccountKey(email), TO_EMULATOR))
    t.strictSame(await claimsOf(token), { ...WITH_EMAIL, azp: email })
    t.match(decodeProtectedHeader(token), { alg: 'RS256', typ: 'JWT', kid: /^test-[0-9a-f]{40}$/ })
  })

  await t.test('a service account key for an access token', async (t) => {
    const options = { ...TO_EMULATOR, ...CLOUD_PLATFORM }
    const auth = authWith(t, google.serviceAccountKey(email), options)
    t.match(await auth.getAccessToken(), /^ya29\./)
  })

  await t.test(
    'a login: the audience is the OAuth client, unless it is said to honour others',
    async (t) => {
      const person = 'dana@example.com'
      const expected = {
        iss: 'https://accounts.google.com',
        azp: GCLOUD,
        email: person,
        email_verified: true,
        hd: 'example.com',
      }
      for (const honoursTargetAudience of [undefined, true]) {
        const login = google.authorizedUser(person, { honoursTargetAudience })
        const token = await idTokenOf(authWith(t, login, TO_EMULATOR))
        const aud = honoursTargetAudience ? audience : GCLOUD
        const { sub, at_hash: accessTokenHash, ...claims } = await claimsOf(token, aud)
        t.strictSame(claims, { ...expected, aud })
        t.match(sub, /^\d{21}$/)
        t.match(accessTokenHash, /^[\w-]{22}$/)
      }
    },
  )

  await t.test('a login of Gmail has no Workspace domain', async (t) => {
    const login = google.authorizedUser('dana@gmail.com')
    const token = await idTokenOf(authWith(t, login, TO_EMULATOR))
    t.notOk('hd' in decodeJwt(token))
  })

  await t.test('impersonation from a file alone', async (t) => {
    const token = await idTokenOf(authWith(t, google.impersonatedCredentials(email)))
    t.strictSame(await claimsOf(token), { ...WITH_EMAIL, azp: email })
  })

  await t.test(
    'workload identity federation, the subject token from a URL or a file',
    async (t) => {
      const subjectToken = await google.subjectToken(email)
      for (const source of ['url', 'file']) {
        const subjectTokenFile =
          source === 'file'
            ? join(t.testdir({ 'subject-token': subjectToken }), 'subject-token')
            : undefined
        const config = google.workloadIdentityConfig(email, {
          impersonate: false,
          subjectTokenFile,
        })
        const sourceClient = await authWith(t, config, CLOUD_PLATFORM).getClient()
        const idTokenProvider = new Impersonated({
          sourceClient,
          targetPrincipal: email,
          targetScopes: [],
          endpoint: google.url,
        })
        const client = new IdTokenClient({ targetAudience: audience, idTokenProvider })
        const [, token = ''] =
          (await client.getRequestHeaders()).get('authorization')?.split(' ') ?? []
        t.strictSame(await claimsOf(token), { ...WITH_EMAIL, azp: email })
      }
    },
  )

  await t.test(
    'workload identity federation becomes the service account by its impersonation URL',
    async (t) => {
      const auth = new GoogleAuth({
        credentials: { ...google.workloadIdentityConfig(email) },
        scopes: ['https://www.googleapis.com/auth/cloud-platform'],
      })
      const token = await auth.getAccessToken()
      const before = google.requests.slice(-2).map(({ endpoint }) => endpoint)
      t.strictSame(before, ['sts', 'generateAccessToken'])
      const response = await fetch(
        `${google.url}/v1/projects/-/serviceAccounts/${uniqueId}:generateIdToken`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ audience, includeEmail: 'true' }),
        },
      )
      const { token: idToken } = (await response.json()) as { token: string }
      t.strictSame(await claimsOf(idToken), { ...WITH_EMAIL, azp: uniqueId })
    },
  )

  await t.test('the metadata server, by the environment alone', async (t) => {
    const before = { ...process.env }
    t.teardown(() => {
      process.env = before
    })
    const directory = t.testdir({})
    const trace = join(directory, 'gcloud-was-run')
    const gcloud = `#!/bin/sh\ntouch '${trace}'\n`
    writeFileSync(join(directory, 'gcloud'), gcloud, { mode: 0o755 })
    mkdirSync(join(directory, '.config/gcloud'), { recursive: true })
    const ownLogin = JSON.stringify(google.authorizedUser('developer@example.com'))
    const ownLoginFile = join(directory, '.config/gcloud/application_default_credentials.json')
    writeFileSync(ownLoginFile, ownLogin)

    // What a developer's own environment may have in it.
    Object.assign(process.env, {
      HOME: directory,
      PATH: `${directory}${delimiter}${process.env.PATH ?? ''}`,
      GOOGLE_APPLICATION_CREDENTIALS: ownLoginFile,
      GOOGLE_CLOUD_PROJECT: undefined,
      GCE_METADATA_IP: '192.0.2.1',
      HTTP_PROXY: 'http://127.0.0.1:9',
      ...google.env,
    })
    delete process.env.GCLOUD_PROJECT
    const token = await idTokenOf(new GoogleAuth())
    t.strictSame(await claimsOf(token), { ...WITH_EMAIL, azp: uniqueId }, 'asks for format=full')
    const auth = new GoogleAuth()
    t.equal(await auth.getProjectId(), 'shop-prod')
    t.match(await auth.getAccessToken(), /^ya29\./)
    t.notOk(existsSync(trace), 'gcloud is not run')

    t.equal(await gcpMetadata.isAvailable(), true)
    t.equal(await gcpMetadata.instance('service-accounts/default/email'), email)
    t.equal(await gcpMetadata.project('project-id'), 'shop-prod')
    t.equal(await gcpMetadata.universe('universe-domain'), 'googleapis.com')
    t.same(await gcpMetadata.project({ property: '', params: { recursive: 'true' } }), {
      numericProjectId: 123456789012,
      projectId: 'shop-prod',
    })
    t.ok(await gcpMetadata.instance(), 'the ping follows the redirect to the slash')
  })
}

t.test('google-auth-library 10', (t) => testCredentials(t, library10))

t.test('google-auth-library 11', (t) =>
  // The declarations of the two differ in what is private.
  testCredentials(t, library11 as unknown as Library),
)

t.test('hosts that are exceptions to a proxy already stay exceptions', async (t) => {
  const before = { ...process.env }
  t.teardown(() => {
    process.env = before
  })
  delete process.env.NO_PROXY
  process.env.no_proxy = 'internal.example.com'
  const other = await startEmulator(t)
  t.equal(other.env.NO_PROXY, 'internal.example.com,127.0.0.1')
})

t.test('keys rotate under clients', async (t) => {
  const other = await startEmulator(t)
  const verifier = createVerifier({
    audience,
    allowedCallers: [email],
    jwksUri: other.jwksUri,
  })
  t.teardown(() => {
    verifier.close()
  })
  const certsUrl = `${other.url}/oauth2/v1/certs`
  const verifiesX509 = async (idToken: string): Promise<boolean> => {
    const endpoints = { oauth2FederatedSignonPemCertsUrl: certsUrl }
    const verified = new library10.OAuth2Client({ endpoints }).verifyIdToken({ idToken, audience })
    return verified.then(
      () => true,
      () => false,
    )
  }
  const first = await other.idToken({ email, audience })
  t.match(await verifier.verifyAnyCaller(first), { email, subject: uniqueId })
  await other.rotateKeys()
  const second = await other.idToken({ email, audience })
  t.match(await verifier.verifyAnyCaller(second), { email }, 'the new key is fetched')
  t.strictSame([await verifiesX509(first), await verifiesX509(second)], [true, true])
  await other.rotateKeys({ keepOld: false })
  const third = await other.idToken({ email, audience })
  const accepted = [
    await verifiesX509(first),
    await verifiesX509(second),
    await verifiesX509(third),
  ]
  t.strictSame(accepted, [false, false, true])
})

const { authWith, claimsOf } = withLibrary(library10)

/** What a server answers to these bytes. */
async function bytesAnswer(text: string): Promise<string> {
  const socket = connect(Number(new URL(google.url).port), '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
  })
  socket.write(text)
  await once(socket, 'close')
  return received.slice(received.indexOf('\r\n\r\n') + 4)
}

async function curlAnswer(args: readonly string[], input: string): Promise<string> {
  const curl = spawn('curl', ['--silent', ...args])
  let printed = ''
  curl.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  curl.stdin.end(input)
  await once(curl, 'close')
  return printed
}

/** With curl where it is installed. */
const hasCurl = spawnSync('curl', ['--version']).status === 0

t.test('the curl line for the metadata server, as the documentation prints it', async (t) => {
  const path = `/computeMetadata/v1/instance/service-accounts/default/identity?audience=${audience}`
  const answers = [
    await bytesAnswer(
      `GET ${path} HTTP/1.1\r\nHost: ${new URL(google.url).host}\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n`,
    ),
  ]
  if (hasCurl) {
    answers.push(await curlAnswer([`${google.url}${path}`, '-H', 'Metadata-Flavor: Google'], ''))
  }
  for (const token of answers) {
    t.strictSame(await claimsOf(token), { ...WITHOUT_EMAIL, azp: uniqueId }, 'no email')
  }
})

t.test('the curl line for a federated ID token, as the documentation prints it', async (t) => {
  const config = google.workloadIdentityConfig(email, { impersonate: false })
  const sts = await authWith(t, config, CLOUD_PLATFORM).getAccessToken()
  const path = `/v1/projects/-/serviceAccounts/${email}:generateIdToken`
  const headers = ['Content-Type: text/json; charset=utf-8', `Authorization: Bearer ${sts ?? ''}`]
  const body = `{\n      "audience": "${audience}"\n  }\n`
  // -d takes the line breaks out, and -0 is HTTP/1.0.
  const sent = body.replaceAll('\n', '')
  const head = [
    `POST ${path} HTTP/1.0`,
    `Host: ${new URL(google.url).host}`,
    'User-Agent: curl/7.88.1',
    'Accept: */*',
    ...headers,
    `Content-Length: ${sent.length}`,
  ]
  const answers = [await bytesAnswer(`${head.join('\r\n')}\r\n\r\n${sent}`)]
  if (hasCurl) {
    const flags = headers.flatMap((header) => ['-H', header])
    answers.push(
      await curlAnswer(['-0', '-X', 'POST', `${google.url}${path}`, ...flags, '-d', '@-'], body),
    )
  }
  for (const answer of answers) {
    const { token } = JSON.parse(answer) as { token: string }
    t.strictSame(await claimsOf(token), { ...WITHOUT_EMAIL, azp: uniqueId }, 'no email')
  }
})
