/** Every kind of credentials, with whichever version of google-auth-library is loaded. */
import type * as GoogleAuthLibrary from 'google-auth-library'
import { decodeJwt } from 'jose'
import Fastify from 'fastify'
import type { Test } from 'tap'
import {
  createServiceClient,
  type ServiceClientError,
  type ServiceClientOptions,
} from '../../src/client.ts'
import googleIdToken from '../../src/index.ts'
import { startGoogleEmulator } from '../../src/testing.ts'
import { errorOf } from './client-helpers.ts'
import { setEnvironment } from './environment.ts'
import {
  federation,
  NODE_EMAIL,
  sentTo,
  serviceAccountKey,
  startGoogle,
  type GoogleServer,
} from './google-server.ts'
import { audience as url, login } from './shop.ts'
import { testRemedies } from './client-remedies.ts'

const other = 'other@shop-prod.iam.gserviceaccount.com'

/** No credentials of the person who runs the tests, and no search for a project. */
function cleanEnvironment(t: Test, google: GoogleServer): void {
  const directory = t.testdir({})
  setEnvironment(t, {
    GCE_METADATA_HOST: google.host,
    GOOGLE_CLOUD_PROJECT: 'shop-prod',
    CLOUDSDK_CONFIG: directory,
    METADATA_SERVER_DETECTION: 'assume-present',
    GOOGLE_APPLICATION_CREDENTIALS: '',
  })
}

export async function testCredentials(t: Test): Promise<void> {
  const library: typeof GoogleAuthLibrary = await import('google-auth-library')
  const { GoogleAuth } = library
  const google = await startGoogle(t)
  cleanEnvironment(t, google)

  const googleAuth = (credentials: object, clientOptions: object = {}) =>
    new GoogleAuth({ credentials, clientOptions, projectId: 'p' })
  const claims = async (options: Omit<ServiceClientOptions, 'url'>) =>
    decodeJwt(await createServiceClient({ url, ...options }).idToken())
  const failure = (options: Omit<ServiceClientOptions, 'url'>): Promise<ServiceClientError> =>
    errorOf(createServiceClient({ url, ...options }).idToken())

  t.test('application default credentials: the metadata server', async (t) => {
    t.match(await claims({}), { aud: url, email: NODE_EMAIL, email_verified: true })
    t.match(await claims({ audience: `${url}/` }), { aud: `${url}/` })
  })

  t.test('application default credentials: a file', async (t) => {
    const directory = t.testdir({
      'key.json': JSON.stringify(serviceAccountKey(login)),
      'wif.json': JSON.stringify(federation(google, { impersonate: login })),
    })
    google.allow('federated', login)
    for (const name of ['key.json', 'wif.json']) {
      process.env.GOOGLE_APPLICATION_CREDENTIALS = `${directory}/${name}`
      const auth = new GoogleAuth({ clientOptions: sentTo(google) })
      t.match(await claims({ auth }), { aud: url, email: login, email_verified: true }, name)
    }
    process.env.GOOGLE_APPLICATION_CREDENTIALS = ''
  })

  t.test('a key impersonates, with the scopes that it needs for it', async (t) => {
    google.allow(login, other)
    const endpoint = google.origin
    const auth = googleAuth(serviceAccountKey(login), sentTo(google))
    t.match(await claims({ auth, serviceAccount: { email: other, endpoint } }), { email: other })
    const scopes = ['https://www.googleapis.com/auth/cloud-platform']
    const key = await new GoogleAuth({
      credentials: serviceAccountKey(login),
      scopes,
      clientOptions: sentTo(google),
    }).getClient()
    t.match(await claims({ auth: key, serviceAccount: other }), { email: other })
    t.match(await claims({ auth: key }), { email: login }, 'another account, another token')
  })

  t.test('impersonation in the credentials themselves', async (t) => {
    google.allow('federated', login)
    const auth = googleAuth({
      type: 'impersonated_service_account',
      endpoint: google.origin,
      service_account_impersonation_url: `${google.origin}/v1/projects/-/serviceAccounts/${login}:generateAccessToken`,
      source_credentials: federation(google),
    })
    t.match(await claims({ auth }), { aud: url, email: login, email_verified: true })
  })

  t.test('a person', async (t) => {
    const auth = googleAuth(
      { type: 'authorized_user', client_id: 'id', client_secret: 'secret', refresh_token: '1//r' },
      { ...sentTo(google) },
    )
    t.match(await claims({ auth }), { aud: url, sub: '117000000000000000001' })
  })

  t.test('federation with an impersonation url: no role on itself is needed', async (t) => {
    const account = 'federated@shop-prod.iam.gserviceaccount.com'
    google.allow('federated', account)
    const json = federation(google, { impersonate: account })
    const accessTokens = google.count('generateAccessToken')
    t.match(await claims({ auth: googleAuth(json) }), { aud: url, email: account })
    const client = library.ExternalAccountClient.fromJSON(json as never)
    t.match(await claims({ auth: client as object as never }), { email: account }, 'a ready client')
    t.match(
      await claims({ auth: googleAuth(json), serviceAccount: account }),
      { email: account },
      'the same account, named once more',
    )
    t.equal(google.count('generateAccessToken'), accessTokens)

    google.allow(account, other)
    t.match(
      await claims({
        auth: googleAuth(json),
        serviceAccount: { email: other, endpoint: google.origin },
      }),
      { email: other },
      'another account is impersonated by the one of the url',
    )
    t.equal(google.count('generateAccessToken'), accessTokens + 1)
  })

  t.test('federation with certificates, which replace what exchanges the token', async (t) => {
    const account = 'x509@shop-prod.iam.gserviceaccount.com'
    google.allow('federated', account)
    const client = library.ExternalAccountClient.fromJSON({
      ...federation(google, { impersonate: account }),
      token_url: 'http://127.0.0.1:9/replaced',
    } as never) as unknown as { stsCredential: object; retrieveSubjectToken: () => Promise<string> }
    const working = library.ExternalAccountClient.fromJSON(
      federation(google) as never,
    ) as unknown as typeof client
    const { retrieveSubjectToken } = client
    client.retrieveSubjectToken = async () => {
      client.stsCredential = working.stsCredential
      return retrieveSubjectToken.call(client)
    }
    t.match(await claims({ auth: client as never }), { email: account })
  })

  t.test('federation without an impersonation url needs the name of an account', async (t) => {
    google.allow('federated', login)
    const auth = googleAuth(federation(google))
    const { code, message } = await failure({ auth })
    t.equal(code, 'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED')
    t.match(message, /option serviceAccount/)
    const serviceAccount = { email: login, endpoint: `${google.origin}/` }
    t.match(await claims({ auth, serviceAccount }), { aud: url, email: login })
  })

  t.test('an IdTokenClient', async (t) => {
    const auth = await googleAuth(serviceAccountKey(login), sentTo(google)).getIdTokenClient('x')
    t.match(await claims({ auth }), { aud: url, email: login })
  })

  t.test('past the guard of a service, with the emulator for Google', async (t) => {
    const emulator = await startGoogleEmulator()
    t.teardown(() => emulator.close())
    const origin = emulator.url
    const app = Fastify()
    const audience = 'search'
    app.register(googleIdToken, {
      audience,
      allowedCallers: [login, emulator.serviceAccount],
      jwksUri: emulator.jwksUri,
    })
    app.get('/', (request) => request.caller.email)
    const service = await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())

    process.env.GCE_METADATA_HOST = new URL(origin).host
    const wif = (impersonate: boolean) => emulator.workloadIdentityConfig(login, { impersonate })
    const rows: [what: string, options: Partial<ServiceClientOptions>, email: string][] = [
      ['machine', { auth: new library.Compute() }, emulator.serviceAccount],
      ['key', { auth: googleAuth(emulator.serviceAccountKey(login), sentTo({ origin })) }, login],
      ['impersonation', { auth: googleAuth(emulator.impersonatedCredentials(login)) }, login],
      ['federation with url', { auth: googleAuth(wif(true)) }, login],
      [
        'federation without url',
        { auth: googleAuth(wif(false)), serviceAccount: { email: login, endpoint: origin } },
        login,
      ],
    ]
    for (const [what, options, email] of rows) {
      const { fetch } = createServiceClient({ url: service, audience, ...options })
      t.equal(await (await fetch('/')).text(), email, what)
    }
    process.env.GCE_METADATA_HOST = google.host
  })

  t.test('what cannot get ID tokens says so', async (t) => {
    const plain = new library.OAuth2Client()
    t.equal((await failure({ auth: plain })).code, 'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED')
    const impossible = { fetchIdToken: async () => 'x' }
    t.equal(
      (await failure({ auth: impossible, serviceAccount: login })).code,
      'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED',
    )
    const hidden = {
      getAccessToken: async () => ({}),
      request: () => undefined,
      getServiceAccountEmail: () => login,
      retrieveSubjectToken: async () => '',
    }
    const { code, detail } = await failure({ auth: hidden })
    t.equal(code, 'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED')
    t.match(detail.reason, /hides/)
  })

  t.test('a remedy for each refusal, and no secret in any', (t) => testRemedies(t, library, google))
}
